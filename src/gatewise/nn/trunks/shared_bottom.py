"""Shared bottom: one network for all tasks."""

from __future__ import annotations

from torch import Tensor
from typing_extensions import override

from gatewise.nn.hidden import Hidden
from gatewise.nn.perceptrons import GroupMLP
from gatewise.nn.sequences import Padded
from gatewise.nn.trunks.trunk import Mixed, Trunk


class SharedBottom(Trunk):
    """One bottom that all towers read: hard parameter sharing (Caruana: Multitask Learning. Machine Learning, 1997).

    Args:
        input_dim: width of the input.
        num_tasks: number of tasks.
        bottom_dims: hidden widths of the bottom.
        hidden: the hidden layers, see :class:`Hidden`.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, task, bottom_dims[-1]]``, the same vector for every task
    """

    def __init__(
        self,
        input_dim: int,
        num_tasks: int,
        *,
        bottom_dims: tuple[int, ...] = (64, 32),
        hidden: Hidden = Hidden(),
    ) -> None:
        super().__init__()
        self.num_tasks = num_tasks
        self.bottom = GroupMLP(1, input_dim, bottom_dims, hidden=hidden)
        self.output_dim = self.bottom.output_dim

    @override
    def mix(self, x: Tensor, *_: Padded) -> Mixed:
        return Mixed(self.bottom(x).expand(-1, self.num_tasks, -1))
