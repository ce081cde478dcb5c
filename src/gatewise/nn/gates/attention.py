"""Attention gates: every gate looks at different parts of the input."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.gates.gates import Gates
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import GroupLinear, check_sizes
from gatewise.nn.perceptrons import GroupMLP


class AttentionGates(Gates):
    r"""A softmax over the experts, computed from the parts of the input that the gate's own query attends to.

    .. math::
        u_j = P_j x, \quad a_{kj} = \mathrm{softmax}_j\!\left(\frac{\langle q_k, u_j \rangle}{\sqrt{d}}\right), \quad
        g^k(x) = \mathrm{softmax}\Big(W_k \sum_j a_{kj} u_j\Big)

    where the input is seen as tokens :math:`u_1, \dots, u_J` by linear maps :math:`P_j`, and :math:`q_k` is a learnt
    query of gate k. With several heads, each head has its own query for its part of the tokens' width d, and the heads'
    outputs are concatenated.

    Args:
        input_dim: width of the input.
        num_gates: number of gates.
        num_experts: number of experts per gate.
        dims: hidden widths between the attention's output and :math:`W_k`; none: linear.
        tokens: J, the number of tokens that the input is mapped to.
        width: width of a token, all heads together; a multiple of ``heads``.
        heads: number of attention heads.
        zero_init: start with :math:`W_k = 0`, so that all weights are even.
        hidden: the hidden layers, see :class:`Hidden`.
        **common: see :class:`Gates`.

    Raises:
        ShapeError: ``width`` is not a multiple of ``heads``.

    Shape:
        - input ``[batch, input_dim]`` or ``[batch, gate, input_dim]``
        - output: :class:`Gated`
    """

    def __init__(
        self,
        input_dim: int,
        num_gates: int,
        num_experts: int,
        dims: tuple[int, ...] = (),
        *,
        tokens: int = 8,
        width: int = 32,
        heads: int = 4,
        zero_init: bool = False,
        hidden: Hidden = Hidden(),
        **common: Any,
    ) -> None:
        super().__init__(input_dim, num_experts, **common)
        check_sizes(tokens=tokens, width=width, heads=heads)
        if width % heads:
            raise ShapeError(f"width: expected a multiple of {heads} heads, found {width}")
        self.shape = (tokens, heads, width // heads)
        self.tokens = nn.Linear(self.read_dim, tokens * width)
        self.queries = nn.Parameter(torch.randn(num_gates, heads, width // heads))
        self.hidden = GroupMLP(num_gates, width, dims, hidden=hidden)
        self.linear = GroupLinear(num_gates, self.hidden.output_dim, num_experts, bias=False, gain=3**-0.5)
        if zero_init:
            nn.init.zeros_(self.linear.weight)

    @override
    def logits(self, x: Tensor) -> Tensor:
        scores: Tensor = self.linear(self.hidden(self.found(x)))
        return scores

    def found(self, x: Tensor) -> Tensor:
        """Return the attention's output for every gate's query, ``[batch, gate, width]``."""
        # [batch, 1 or gate, token, head, head width]
        tokens = self.tokens(x if x.dim() == 3 else x.unsqueeze(1)).unflatten(2, self.shape)
        agreement = (tokens * self.queries.unsqueeze(1)).sum(dim=4) / math.sqrt(self.shape[2])
        attention = agreement.softmax(dim=2).unsqueeze(4)
        return (attention * tokens).sum(dim=2).flatten(2)
