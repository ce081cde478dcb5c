"""PLE: experts of each task and shared experts, separated in every level."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.experts import OwnedExperts
from gatewise.nn.experts.owned import own_counts
from gatewise.nn.gates import GateMaker, SoftmaxGates, make_gates
from gatewise.nn.gates.gates import gated, skips
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import check_sizes
from gatewise.nn.sequences import Padded
from gatewise.nn.trunks.trunk import Mixed, Trunk, total


class PLE(Trunk):
    r"""Progressive layered extraction: own experts per task and shared experts, in several levels.

    .. math::
        z_k^{(j)} = \sum_{i \in O_k \cup S} \mathrm{softmax}(W_k^{(j)} z_k^{(j-1)})_i \, f_i^{(j)}, \qquad
        z_s^{(j)} = \sum_{i} \mathrm{softmax}(W_s^{(j)} z_s^{(j-1)})_i \, f_i^{(j)}

    where :math:`O_k` are the experts of task k, which read :math:`z_k^{(j-1)}`, and :math:`S` the shared experts, which
    read :math:`z_s^{(j-1)}`. In the first level all read x; the last level has no :math:`z_s`.

    Args:
        input_dim: width of the input.
        num_tasks: number of tasks.
        own_experts: number of own experts per task in every level: one number, or one per task; 0 is allowed.
        shared_experts: number of shared experts in every level.
        expert_dims: hidden widths of every expert; or those of each level's experts, one entry per level.
        gate: makes the gates, such as :class:`gatewise.nn.SoftmaxGates`.
        gate_dims: hidden widths of every gate; none: softmax(W z).
        levels: number of levels; with one level, PLE is :class:`CGC`.
        hidden: the hidden layers, see :class:`Hidden`.
        gate_hidden: hidden layers of the gates; None: ``hidden`` without dropout.

    Raises:
        ShapeError: a task has no expert, or levels lack widths; the error names the option.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, task, expert_dims[-1]]``; gates ``[batch, task, expert]`` over the own experts of task 0,
          of task 1, ..., and the shared experts, 0 for experts of other tasks

    Example:
        >>> import torch
        >>> mixed = PLE(5, 2, own_experts=(1, 3), shared_experts=2, expert_dims=(4,)).mix(torch.zeros(7, 5))
        >>> mixed.hidden.shape, mixed.gates.shape
        (torch.Size([7, 2, 4]), torch.Size([7, 2, 6]))

    References:
        Tang et al.: Progressive Layered Extraction (PLE): A Novel Multi-Task Learning (MTL) Model for Personalized
        Recommendations. RecSys 2020.
    """

    def __init__(
        self,
        input_dim: int,
        num_tasks: int,
        *,
        own_experts: int | tuple[int, ...] = 2,
        shared_experts: int = 2,
        expert_dims: tuple[int, ...] | tuple[tuple[int, ...], ...] = (64, 32),
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
        width, extractions = input_dim, []
        for level, dims in enumerate(dims_by_level(expert_dims, levels)):
            experts = OwnedExperts(width, own, shared_experts, dims, hidden=hidden)
            # without shared experts, a shared state would not be read
            units = num_tasks + (level < levels - 1 and shared_experts > 0)
            reach = experts.belongs(units) | experts.belongs(num_tasks + 1)[-1]
            reach[num_tasks:] = True
            gates = make_gates(gate, width, units, experts.num_experts, gate_dims, hidden=gate_hidden, reach=reach)
            extractions.append(Extraction(experts, gates, units))
            width = experts.output_dim
        self.levels = nn.ModuleList(extractions)
        self.output_dim = width

    @override
    def mix(self, x: Tensor, *_: Padded) -> Mixed:
        penalties, mixed = [], Mixed(x)
        for level in self.levels:
            mixed = level(mixed.hidden)
            penalties.append(mixed.penalty)
        return Mixed(mixed.hidden, mixed.gates, total(*penalties))


def dims_by_level(dims: tuple[int, ...] | tuple[tuple[int, ...], ...], levels: int) -> list[tuple[int, ...]]:
    """Return the hidden widths of each level's experts.

    Raises:
        ShapeError: widths are given per level, and not for every level.
    """
    shapes = [tuple(own) for own in dims if not isinstance(own, int)]
    if not shapes:
        return [tuple(width for width in dims if isinstance(width, int))] * levels
    if len(shapes) != levels:
        raise ShapeError(f"expert_dims: expected {levels} entries, one per level, found {len(shapes)}")
    return shapes


class Extraction(nn.Module):
    """One level: the experts and the gate of every unit read the unit's state.

    Args:
        experts: the experts of all units.
        gates: one gate for each of the first units.
        units: number of units in the next level.

    Shape:
        - input ``[batch, in]``, the state of all units, or ``[batch, unit, in]``
        - output: :class:`Mixed`, one state per gate
    """

    def __init__(self, experts: OwnedExperts, gates: nn.Module, units: int) -> None:
        super().__init__()
        self.experts = experts
        self.gates = gates
        self.units = units

    @override
    def forward(self, x: Tensor) -> Mixed:
        weights, penalty = gated(self.gates(x if x.dim() == 2 else x[:, : self.units]))
        return Mixed(self.experts.mixed(x, weights, sparse=skips(self.gates)), weights, penalty)
