"""Facet-aware MoE: experts whose input includes the embedding of a facet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.experts.multi_head import MultiHeadExperts
from gatewise.nn.gates import GateMaker, SoftmaxGates, make_gates
from gatewise.nn.gates.gates import gated, skips
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import check_sizes
from gatewise.nn.sequences import Padded
from gatewise.nn.trunks.trunk import Mixed, Trunk


class FacetAwareMoE(Trunk):
    r"""Multi-head experts on a text's (or another) vector plus the facet's embedding; one gate for all tasks.

    .. math:: z = \sum_{i=1}^{E} g_i(c) \, f_i(c + P a), \quad g(c) = \mathrm{softmax}(W c)

    where c is the input without the facet's columns, such as a text encoder's pooled vector, a is the embedding of the
    facet and P a linear map to the width of c, left out if the widths are equal. Expert :math:`f_i` has several heads
    whose outputs are concatenated and mapped: see :class:`gatewise.nn.experts.MultiHeadExperts`.

    Args:
        input_dim: width of the input.
        num_tasks: number of tasks.
        facet: columns of the input that hold the facet's embedding.
        experts: number of experts.
        heads: number of heads per expert.
        expert_dim: output width of every expert, a multiple of ``heads``.
        gate: makes the gate, such as :class:`gatewise.nn.SoftmaxGates`.
        gate_dims: hidden widths of the gate; none: softmax(W c).
        hidden: the heads' layer, see :class:`Hidden`; heads are not normalised.
        gate_hidden: hidden layers of the gate; None: ``hidden`` without dropout.

    Raises:
        ShapeError: no facet columns, no other columns, or columns outside the input; the error names the option.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, task, expert_dim]``, the same vector for every task

    Example:
        >>> FacetAwareMoE(12, 2, facet=(0, 1, 2), experts=3, expert_dim=8, heads=2)(torch.zeros(7, 12)).shape
        torch.Size([7, 2, 8])
    """

    facet: Tensor
    content: Tensor

    def __init__(
        self,
        input_dim: int,
        num_tasks: int,
        *,
        facet: Sequence[int],
        experts: int = 8,
        heads: int = 4,
        expert_dim: int = 64,
        gate: GateMaker = SoftmaxGates,
        gate_dims: tuple[int, ...] = (),
        hidden: Hidden = Hidden(),
        gate_hidden: Hidden | None = None,
    ) -> None:
        super().__init__()
        check_sizes(input_dim=input_dim, num_tasks=num_tasks)
        content = [column for column in range(input_dim) if column not in set(facet)]
        if not facet or not content or not all(0 <= column < input_dim for column in facet):
            raise ShapeError(
                f"facet: expected some of the columns 0 to {input_dim - 1}, and others beside, found {list(facet)}"
            )
        self.num_tasks = num_tasks
        self.register_buffer("facet", torch.tensor(list(facet)), persistent=False)
        self.register_buffer("content", torch.tensor(content), persistent=False)
        width = len(content)
        self.enter = nn.Identity() if len(facet) == width else nn.Linear(len(facet), width, bias=False)
        self.experts = MultiHeadExperts(width, experts, heads, expert_dim, hidden=replace(hidden, norm="none"))
        self.gates = make_gates(gate, width, 1, experts, gate_dims, hidden=gate_hidden or hidden.without_dropout)
        self.output_dim = expert_dim

    @override
    def mix(self, x: Tensor, *_: Padded) -> Mixed:
        content = x.index_select(1, self.content)
        weights, penalty = gated(self.gates(content))
        told = content + self.enter(x.index_select(1, self.facet))
        mixed = self.experts.mixed(told, weights, sparse=skips(self.gates))
        return Mixed(mixed.expand(-1, self.num_tasks, -1), weights.expand(-1, self.num_tasks, -1), penalty)
