"""AdaTT: every task's own experts, fused with the experts of all other tasks."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.experts import OwnedExperts
from gatewise.nn.experts.owned import own_counts
from gatewise.nn.gates import GateMaker, SoftmaxGates, make_gates
from gatewise.nn.gates.gates import gated
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import check_sizes
from gatewise.nn.sequences import Padded
from gatewise.nn.trunks.trunk import Mixed, Trunk, total


class AdaTT(Trunk):
    r"""Adaptive task-to-task fusion: a gate over the experts of all tasks, and a residual from the task's own experts.

    .. math::
        z_k^{(j)} = \sum_i \mathrm{softmax}(W_k^{(j)} z_k^{(j-1)})_i \, f_i^{(j)} + \sum_{i \in O_k} v_i^{(j)} f_i^{(j)}

    where :math:`O_k` are the experts of task k, which read :math:`z_k^{(j-1)}` (x in the first level), and
    :math:`v_i` are learnt numbers that do not depend on the input. Shared experts belong to one additional unit, which
    has a state of its own in all levels but the last.

    Args:
        input_dim: width of the input.
        num_tasks: number of tasks.
        own_experts: number of own experts per task in every level: one number, or one per task.
        shared_experts: number of shared experts.
        expert_dims: hidden widths of every expert.
        gate: makes the gates, such as :class:`gatewise.nn.SoftmaxGates`.
        gate_dims: hidden widths of every gate; none: softmax(W z).
        levels: number of levels.
        hidden: the hidden layers, see :class:`Hidden`.
        gate_hidden: hidden layers of the gates; None: ``hidden`` without dropout.

    Raises:
        ShapeError: a task has no expert; the error names the option.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, task, expert_dims[-1]]``; gates ``[batch, task, expert]``, the softmax without the residual,
          over the experts of task 0, of task 1, ..., and the shared experts

    Example:
        >>> mixed = AdaTT(5, 2, own_experts=2, shared_experts=1, expert_dims=(4,)).mix(torch.zeros(7, 5))
        >>> mixed.hidden.shape, mixed.gates.shape
        (torch.Size([7, 2, 4]), torch.Size([7, 2, 5]))

    References:
        Li et al.: AdaTT: Adaptive Task-to-Task Fusion Network for Multitask Learning in Recommendations. KDD 2023.
    """

    def __init__(
        self,
        input_dim: int,
        num_tasks: int,
        *,
        own_experts: int | tuple[int, ...] = 2,
        shared_experts: int = 0,
        expert_dims: tuple[int, ...] = (64, 32),
        gate: GateMaker = SoftmaxGates,
        gate_dims: tuple[int, ...] = (),
        levels: int = 2,
        hidden: Hidden = Hidden(),
        gate_hidden: Hidden | None = None,
    ) -> None:
        super().__init__()
        gate_hidden = gate_hidden or hidden.without_dropout
        check_sizes(input_dim=input_dim, num_tasks=num_tasks, levels=levels)
        own = own_counts(own_experts, shared_experts, num_tasks)
        self.num_tasks = num_tasks
        width, fusions = input_dim, []
        for level in range(levels):
            experts = OwnedExperts(width, own, shared_experts, expert_dims, hidden=hidden)
            units = num_tasks + (level < levels - 1 and shared_experts > 0)
            gates = make_gates(gate, width, units, experts.num_experts, gate_dims, hidden=gate_hidden)
            fusions.append(Fusion(experts, gates, units))
            width = experts.output_dim
        self.levels = nn.ModuleList(fusions)
        self.output_dim = width

    @override
    def mix(self, x: Tensor, *_: Padded) -> Mixed:
        penalties, mixed = [], Mixed(x)
        for level in self.levels:
            mixed = level(mixed.hidden)
            penalties.append(mixed.penalty)
        return Mixed(mixed.hidden, mixed.gates, total(*penalties))


class Fusion(nn.Module):
    """One level: gates over all experts, with a residual from each unit's own experts.

    Args:
        experts: the experts of all units.
        gates: one gate for each of the first units.
        units: number of units in the next level.

    Attributes:
        native: ``[expert]``, weight of each expert for its own unit in the residual; at first 1 / experts of the unit.

    Shape:
        - input ``[batch, in]``, the state of all units, or ``[batch, unit, in]``
        - output: :class:`Mixed`, one state per gate
    """

    owned: Tensor

    def __init__(self, experts: OwnedExperts, gates: nn.Module, units: int) -> None:
        super().__init__()
        self.experts = experts
        self.gates = gates
        self.units = units
        self.register_buffer("owned", experts.belongs(units), persistent=False)
        # NOTE[DIFF]: in the paper a unit's only expert has weight 1; here the weight is learnt in all cases
        self.native = nn.Parameter(torch.tensor([1 / count for count in experts.counts for _ in range(count)]))

    @override
    def forward(self, x: Tensor) -> Mixed:
        weights, penalty = gated(self.gates(x if x.dim() == 2 else x[:, : self.units]))
        fused = weights + self.native * self.owned
        return Mixed(self.experts.mixed(x, fused), weights, penalty)
