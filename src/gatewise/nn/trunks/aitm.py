"""AITM: tasks in a sequence, each of which passes information to the next."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import check_sizes
from gatewise.nn.perceptrons import GroupMLP
from gatewise.nn.sequences import Padded
from gatewise.nn.trunks.trunk import Mixed, Trunk


class AITM(Trunk):
    r"""Adaptive information transfer: every task attends to its own vector and to one from the previous task.

    .. math::
        z_1 = q_1, \quad p_t = g_t(z_{t-1}), \quad
        z_t = \sum_{u \in \{q_t, p_t\}} w_u \, h_{1,t}(u), \quad
        w = \mathrm{softmax}_u\!\left(\frac{\langle h_{2,t}(u), h_{3,t}(u) \rangle}{\sqrt{k}}\right)

    where :math:`q_t = f_t(x)` is the output of task t's bottom, of width k, :math:`g_t` is a layer and
    :math:`h_{1,t}, h_{2,t}, h_{3,t}` are linear maps from k to k.

    Args:
        input_dim: width of the input.
        num_tasks: number of tasks.
        order: the positions of all tasks from the first step, such as a click, to the last.
        bottom_dims: hidden widths of every task's bottom.
        hidden: the hidden layers of the bottoms and the layers g, see :class:`Hidden`.

    Raises:
        ShapeError: fewer than two tasks, or ``order`` does not name each task once.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, task, bottom_dims[-1]]``, in the order of the tasks, not of the steps; no gates

    Example:
        >>> AITM(5, 2, order=(0, 1), bottom_dims=(4,))(torch.zeros(7, 5)).shape
        torch.Size([7, 2, 4])

    References:
        Xi et al.: Modeling the Sequential Dependence among Audience Multi-step Conversions with Multi-task Learning in
        Targeted Display Advertising. KDD 2021.
    """

    def __init__(
        self,
        input_dim: int,
        num_tasks: int,
        *,
        order: tuple[int, ...],
        bottom_dims: tuple[int, ...] = (64, 32),
        hidden: Hidden = Hidden(),
    ) -> None:
        super().__init__()
        check_sizes(input_dim=input_dim, num_tasks=num_tasks)
        if num_tasks < 2:
            raise ShapeError(f"order: expected two tasks or more to pass something on, found {num_tasks}")
        if sorted(order) != list(range(num_tasks)):
            raise ShapeError(f"order: expected each of the positions 0 to {num_tasks - 1} once, found {order}")
        self.num_tasks, self.order = num_tasks, tuple(order)
        self.bottoms = GroupMLP(num_tasks, input_dim, bottom_dims, hidden=hidden)
        self.output_dim = self.bottoms.output_dim
        self.informs = nn.ModuleList(
            GroupMLP(1, self.output_dim, (self.output_dim,), hidden=hidden) for _ in range(num_tasks - 1)
        )
        self.attentions = nn.ModuleList(Attention(self.output_dim) for _ in range(num_tasks - 1))

    @override
    def mix(self, x: Tensor, *_: Padded) -> Mixed:
        return Mixed(self._steps(x)[0])

    def transfer(self, x: Tensor) -> Tensor:
        """Return the attention of each task to its own vector and to the transferred one, ``[batch, task, 2]``.

        The first step attends to its own vector only.
        """
        return self._steps(x)[1]

    def _steps(self, x: Tensor) -> tuple[Tensor, Tensor]:
        own = self.bottoms(x)
        first = self.order[0]
        hidden, weights = {first: own[:, first]}, {first: own.new_tensor([1.0, 0.0]).expand(x.shape[0], 2)}
        before = first
        for task, inform, attend in zip(self.order[1:], self.informs, self.attentions, strict=True):
            passed_on = inform(hidden[before]).squeeze(1)
            hidden[task], weights[task] = attend(torch.stack([own[:, task], passed_on], dim=1))
            before = task
        return tuple(torch.stack([found[k] for k in range(self.num_tasks)], dim=1) for found in (hidden, weights))  # type: ignore[return-value]


class Attention(nn.Module):
    """Attention over several vectors; a vector's weight is the product of its own query and key.

    Shape:
        - input ``[batch, vector, width]``
        - output ``[batch, width]``, and the weights ``[batch, vector]``
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.maps = nn.Linear(width, 3 * width)

    @override
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        values, queries, keys = self.maps(x).chunk(3, dim=2)
        agreement = (queries * keys).sum(dim=2) / math.sqrt(x.shape[2])
        weights = agreement.softmax(dim=1)
        return (weights.unsqueeze(2) * values).sum(dim=1), weights
