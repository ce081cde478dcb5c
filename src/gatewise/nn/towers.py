"""Towers: from a task's hidden vector to its outputs."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.kernels import group_linear
from gatewise.nn.layers import GroupMLP, check_sizes
from gatewise.nn.residual import GroupResidualMLP


class Towers(nn.Module):
    """Per task one multi-layer perceptron and a linear output; all tasks are batched products.

    Args:
        num_tasks: number of towers.
        input_dim: width of a task's hidden vector.
        dims: hidden widths of every tower.
        output_dims: number of outputs per task; by default one.
        activation, dropout, norm: see :class:`GroupMLP`.
        residual: whether every hidden layer adds to its input, see :class:`GroupResidualMLP`.

    Shape:
        - input ``[batch, task, input_dim]``
        - output ``[batch, sum(output_dims)]``, the tasks' outputs side by side
    """

    task_of_output: Tensor

    def __init__(
        self,
        num_tasks: int,
        input_dim: int,
        dims: tuple[int, ...],
        output_dims: tuple[int, ...] = (),
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        norm: str = "none",
        residual: bool = False,
    ) -> None:
        super().__init__()
        self.output_dims = output_dims or (1,) * num_tasks
        check_sizes(**{f"output_dims[{task}]": width for task, width in enumerate(self.output_dims)})
        perceptrons = GroupResidualMLP if residual and dims else GroupMLP
        self.hidden = perceptrons(num_tasks, input_dim, dims, activation=activation, dropout=dropout, norm=norm)
        owners = [task for task, width in enumerate(self.output_dims) for _ in range(width)]
        self.register_buffer("task_of_output", torch.tensor(owners), persistent=False)
        width = self.hidden.output_dim
        self.weight = nn.Parameter(torch.empty(len(owners), width).uniform_(-(width**-0.5), width**-0.5))
        self.bias = nn.Parameter(torch.zeros(len(owners)))

    @override
    def forward(self, x: Tensor) -> Tensor:
        hidden = self.hidden(x)
        if hidden.shape[1] != len(self.task_of_output):
            hidden = hidden.index_select(1, self.task_of_output)
        return group_linear(hidden, self.weight.unsqueeze(1), self.bias.unsqueeze(1)).squeeze(2)
