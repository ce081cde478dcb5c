"""HoME: experts of groups of tasks, and of tasks within their groups."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.experts.feature_gate import FeatureGatedExperts
from gatewise.nn.gates import GateMaker, SoftmaxGates, make_gates
from gatewise.nn.gates.gates import gated, skips
from gatewise.nn.gates.self_gates import SelfGates
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import check_sizes
from gatewise.nn.sequences import Padded
from gatewise.nn.trunks.trunk import Mixed, Trunk, total


class HoME(Trunk):
    r"""Hierarchy of multi-gate experts: group experts in level 1, task experts in level 2, shared experts in both.

    .. math::
        z_u &= \sum_{i \in G_u \cup S} g^u(x)_i \, f_i(x) + \sum_{i \in G_u} s^u(x)_i \, f_i(x), \qquad
        z_S = \sum_i g^S(x)_i \, f_i(x) + \sum_{i \in S} s^S(x)_i \, f_i(x) \\
        y_k &= \sum_{i \in T_k \cup G'_u \cup S'} g^k([z_u; z_S])_i \, f'_i + \sum_{i \in T_k} s^k(z_u)_i \, f'_i

    for group u and task k in u. In the first level :math:`G_u` are the experts of group u and :math:`S` the shared
    experts; in the second :math:`T_k` are the experts of task k and :math:`G'_u` those of its group, which both read
    :math:`z_u`, and :math:`S'` the shared experts, which read :math:`z_S`. Every gate g is a softmax over the experts
    in its sum; every self-gate s is a softmax over its unit's own experts, or a sigmoid for a single expert. An expert
    with one layer is

    .. math::
        f_i(x) = \mathrm{Swish}(\mathrm{BatchNorm}(\tilde x_i W_i)), \qquad
        \tilde x_i = x \odot 2 \sigma(x A_i B_i)

    where the feature gate of :math:`A_i` and :math:`B_i` is of low rank.

    Args:
        input_dim: width of the input.
        num_tasks: number of tasks.
        groups: the positions of the tasks of every group; each task is in exactly one group.
        experts: number of experts per set, in both levels.
        expert_dims: hidden widths of every expert.
        rank: rank of the feature gates.
        gate: makes the gates, such as :class:`gatewise.nn.SoftmaxGates`.
        gate_dims: hidden widths of every gate and self-gate; none: linear.
        hidden: the hidden layers, see :class:`Hidden`.
        gate_hidden: hidden layers of the gates; None: ``hidden`` without dropout.

    Raises:
        ShapeError: no groups, or a task in no group or in several; the error names the option.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, task, expert_dims[-1]]``; gates ``[batch, task, expert]`` of the second level without the
          self-gates, over the experts of task 0, of task 1, ..., of group 0, of group 1, ..., and the shared experts;
          0 for experts that a task does not reach

    Example:
        >>> trunk = HoME(5, 3, groups=((0, 2), (1,)), experts=2, expert_dims=(4,))
        >>> mixed = trunk.mix(torch.zeros(7, 5))
        >>> mixed.hidden.shape, mixed.gates.shape
        (torch.Size([7, 3, 4]), torch.Size([7, 3, 12]))

    References:
        Wang et al.: HoME: Hierarchy of Multi-Gate Experts for Multi-Task Learning at Kuaishou. KDD 2025.
    """

    # [task], the group of every task
    group: Tensor
    # [expert], the first-level vector that each second-level expert reads
    reads: Tensor

    def __init__(
        self,
        input_dim: int,
        num_tasks: int,
        *,
        groups: tuple[tuple[int, ...], ...],
        experts: int = 2,
        expert_dims: tuple[int, ...] = (64, 32),
        rank: int = 8,
        gate: GateMaker = SoftmaxGates,
        gate_dims: tuple[int, ...] = (),
        hidden: Hidden = Hidden("silu", norm="batch"),
        gate_hidden: Hidden | None = None,
    ) -> None:
        super().__init__()
        check_sizes(input_dim=input_dim, num_tasks=num_tasks, experts=experts, rank=rank)
        if not expert_dims:
            raise ShapeError("expert_dims: expected one width or more, found none")
        self.num_tasks = num_tasks
        group, shared = groups_of(groups, num_tasks), len(groups)
        reach_below, reach_above = reached_sets(group, shared)
        self.register_buffer("group", torch.tensor(group), persistent=False)
        sources = torch.tensor([*group, *range(shared), shared])
        self.register_buffer("reads", sources.repeat_interleave(experts), persistent=False)
        width = expert_dims[-1]

        level = partial(
            GroupedMixture,
            experts=experts,
            expert_dims=expert_dims,
            rank=rank,
            gate=gate,
            gate_dims=gate_dims,
            hidden=hidden,
            gate_hidden=gate_hidden or hidden.without_dropout,
        )
        self.below = level(input_dim, input_dim, reach_below)
        self.above = level(width, 2 * width, reach_above)
        self.output_dim = width

    @override
    def units(self, tasks: Sequence[str], level: int) -> tuple[str, ...]:
        """Return the owners of gates and experts: groups and ``shared`` in level 1, tasks before them in level 2."""
        members: dict[int, list[str]] = {}
        for name, group in zip(tasks, self.group.tolist(), strict=True):
            members.setdefault(group, []).append(name)
        groups = [f"group {'+'.join(members[group])}" for group in sorted(members)]
        return (*(tasks if level else ()), *groups, "shared")

    @override
    def mix(self, x: Tensor, *_: Padded) -> Mixed:
        # [batch, group + 1, width]
        meta, _gates, below = self.below(x, x, x)
        of_task = meta.index_select(1, self.group)
        # NOTE[DIFF]: an expert reads the vector of its own set; only gates read [group; shared], since a shared expert
        # would otherwise have one input per group, and run once for each
        of_gates = torch.cat([of_task, meta[:, -1:].expand_as(of_task)], dim=2)
        mixed = self.above(meta.index_select(1, self.reads), of_gates, of_task)
        return Mixed(mixed.hidden, mixed.gates, total(below, mixed.penalty))


class GroupedMixture(nn.Module):
    """One level: gates over the experts that each unit reaches, and self-gates over each unit's own experts.

    Args:
        input_dim: input width of experts and self-gates.
        gate_input_dim: input width of gates.
        reach: ``[unit, set]`` bool, the sets of experts that each unit reaches; set u belongs to unit u.
        experts, expert_dims, rank, gate, gate_dims, hidden, gate_hidden: see :class:`HoME`.

    Shape:
        - of_experts, of_gates, of_own: inputs of experts, gates and self-gates: ``[batch, in]``, read by all, or
          ``[batch, expert, in]``, ``[batch, unit, in]`` and ``[batch, unit, in]``
        - output: :class:`Mixed`, one vector per unit; its gates are without the self-gates
    """

    def __init__(
        self,
        input_dim: int,
        gate_input_dim: int,
        reach: Tensor,
        *,
        experts: int,
        expert_dims: tuple[int, ...],
        rank: int,
        gate: GateMaker,
        gate_dims: tuple[int, ...],
        hidden: Hidden,
        gate_hidden: Hidden,
    ) -> None:
        super().__init__()
        units, sets = reach.shape
        self.experts = FeatureGatedExperts(
            input_dim,
            sets * experts,
            expert_dims,
            rank,
            counts=(experts,) * sets,
            hidden=hidden,
        )
        self.gates = make_gates(
            gate,
            gate_input_dim,
            units,
            sets * experts,
            gate_dims,
            hidden=gate_hidden,
            reach=reach.repeat_interleave(experts, dim=1),
        )
        self.self_gates = SelfGates(input_dim, units, sets, experts, gate_dims, hidden=gate_hidden)

    @override
    def forward(self, of_experts: Tensor, of_gates: Tensor, of_own: Tensor) -> Mixed:
        weights, penalty = gated(self.gates(of_gates))
        fused = weights + self.self_gates(of_own)
        return Mixed(self.experts.mixed(of_experts, fused, sparse=skips(self.gates)), weights, penalty)


def groups_of(groups: Sequence[Sequence[int]], num_tasks: int) -> list[int]:
    """Return the group index of every task.

    Raises:
        ShapeError: no groups, an empty group, a task in no group or in several, or a position that no task has.
    """
    if not groups:
        raise ShapeError("groups: expected one group of tasks or more, found none")
    found: dict[int, int] = {}
    for number, members in enumerate(groups):
        if not members:
            raise ShapeError(f"groups[{number}]: expected one task or more, found none")
        for task in members:
            if isinstance(task, bool) or not isinstance(task, int) or not 0 <= task < num_tasks:
                raise ShapeError(f"groups[{number}]: expected positions of tasks below {num_tasks}, found {task!r}")
            if task in found:
                raise ShapeError(f"groups: task {task} is in group {found[task]} and again in {number}")
            found[task] = number
    for task in range(num_tasks):
        if task not in found:
            raise ShapeError(f"groups: task {task} is in no group")
    return [found[task] for task in range(num_tasks)]


def reached_sets(group: Sequence[int], shared: int) -> tuple[Tensor, Tensor]:
    """Return the masks of the sets of experts that groups and shared unit reach below, and tasks above.

    Shape:
        - below: ``[group + 1, group + 1]`` bool
        - above: ``[task, task + group + 1]`` bool
    """
    below = torch.eye(shared + 1, dtype=torch.bool)
    below[:, shared] = True
    # the shared vector reaches all sets
    below[shared] = True
    own = torch.eye(len(group), dtype=torch.bool)
    return below, torch.cat([own, below[torch.tensor(group)]], dim=1)
