"""STEM: embeddings and experts of each task, beside shared embeddings and experts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.kernels import mix
from gatewise.nn.experts import OwnedExperts
from gatewise.nn.experts.owned import own_counts
from gatewise.nn.gates import AnyGates, SoftmaxGates, make_gates
from gatewise.nn.gates.gates import gated
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import check_sizes
from gatewise.nn.sequences import Padded
from gatewise.nn.trunks.trunk import Mixed, Trunk


class STEM(Trunk):
    r"""Shared and task-specific embeddings: a task reads the other tasks' experts and does not train them.

    .. math::
        z_k = \sum_{i \in O_k \cup S} g_{ki} \, f_i + \sum_{i \in O_j, j \neq k} g_{ki} \, \mathrm{stop}(f_i), \qquad
        g_k = \mathrm{softmax}(W_k (e_k + e_s))

    where :math:`e_k` are task k's embeddings and :math:`e_s` the shared ones, :math:`O_k` are the experts of task k,
    which read :math:`e_k`, S are the shared experts, which read :math:`e_s`, and stop blocks the gradient. The loss of
    task k changes neither embeddings nor experts of another task.

    Args:
        input_dim: width of the input.
        num_tasks: number of tasks.
        sets: the columns of the input for each task's embeddings, and last for the shared embeddings; all sets have
            the same size. A column, such as a number, may be in several sets. None: equal consecutive parts.
        own_experts: number of own experts per task: one number, or one per task.
        shared_experts: number of shared experts.
        expert_dims: hidden widths of every expert.
        gate: makes the gates, such as :class:`gatewise.nn.SoftmaxGates`; or a list with one maker per task.
        gate_dims: hidden widths of every gate; none: softmax(W e).
        hidden: the hidden layers, see :class:`Hidden`.
        gate_hidden: hidden layers of the gates; None: ``hidden`` without dropout.

    Raises:
        ShapeError: the input does not split into equal parts, or a task has no expert; the error names the option.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, task, expert_dims[-1]]``; gates ``[batch, task, expert]`` over the own experts of task 0,
          of task 1, ..., and the shared experts

    Example:
        >>> STEM(6, 2, own_experts=1, shared_experts=1, expert_dims=(4,))(torch.zeros(7, 6)).shape
        torch.Size([7, 2, 4])

    References:
        Su et al.: STEM: Unleashing the Power of Embeddings for Multi-task Recommendation. AAAI 2024.
    """

    columns: Tensor
    reach: Tensor

    def __init__(
        self,
        input_dim: int,
        num_tasks: int,
        *,
        sets: tuple[tuple[int, ...], ...] | None = None,
        own_experts: int | tuple[int, ...] = 2,
        shared_experts: int = 2,
        expert_dims: tuple[int, ...] = (64, 32),
        gate: AnyGates | Sequence[AnyGates] = SoftmaxGates,
        gate_dims: tuple[int, ...] = (),
        hidden: Hidden = Hidden(),
        gate_hidden: Hidden | None = None,
    ) -> None:
        super().__init__()
        check_sizes(input_dim=input_dim, num_tasks=num_tasks)
        self.num_tasks = num_tasks
        sets = _equal_parts(input_dim, num_tasks + 1) if sets is None else sets
        if len(sets) != num_tasks + 1 or len({len(columns) for columns in sets}) != 1:
            sizes = [len(columns) for columns in sets]
            raise ShapeError(
                f"sets: expected {num_tasks + 1} of equal size, one per task and the shared, found {sizes}"
            )
        self.register_buffer("columns", torch.tensor(sets), persistent=False)
        own, width = own_counts(own_experts, shared_experts, num_tasks), len(sets[0])
        self.experts = OwnedExperts(width, own, shared_experts, expert_dims, hidden=hidden)
        count = self.experts.num_experts
        self.gates = make_gates(gate, width, num_tasks, count, gate_dims, hidden=gate_hidden or hidden.without_dropout)
        owned = self.experts.belongs(num_tasks + 1)
        self.register_buffer("reach", owned[:num_tasks] | owned[num_tasks], persistent=False)
        self.output_dim = self.experts.output_dim

    @override
    def mix(self, x: Tensor, *_: Padded) -> Mixed:
        # [batch, set, width]
        embedded = x.index_select(1, self.columns.flatten()).view(x.shape[0], *self.columns.shape)
        weights, penalty = gated(self.gates(embedded[:, :-1] + embedded[:, -1:]))
        if not torch.is_grad_enabled():
            return Mixed(self.experts.mixed(embedded, weights), weights, penalty)
        outputs = self.experts(embedded)
        seen = mix(weights * ~self.reach, outputs.detach())
        return Mixed(mix(weights * self.reach, outputs) + seen, weights, penalty)


def _equal_parts(input_dim: int, count: int) -> tuple[tuple[int, ...], ...]:
    if input_dim % count:
        raise ShapeError(
            f"input_dim: expected a multiple of {count}, one part a task and the shared, found {input_dim}"
        )
    width = input_dim // count
    return tuple(tuple(range(start, start + width)) for start in range(0, input_dim, width))
