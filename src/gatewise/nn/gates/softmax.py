"""Softmax gates: all experts count, as much as the input says."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.nn.gates.gates import Gated, Gates
from gatewise.nn.layers import GroupLinear, GroupMLP


class SoftmaxGates(Gates):
    r"""One softmax distribution over the experts for every gate.

    .. math:: g^k(x) = \mathrm{softmax}(W_k x)

    with :math:`W_k` of shape ``[expert, input_dim]``; with hidden layers, softmax(W_k h_k(x)).

    Args:
        input_dim: width of the input.
        num_gates: how many gates, one a task in MMoE, one in all in OMoE.
        num_experts: how many experts each gate weighs.
        dims: hidden widths of every gate; none: linear.
        bias: whether the last layer has one.
        reach: ``[gate, expert]`` bool, the experts that each gate weighs; the others get exactly 0. None: all.
        activation, norm: of the hidden layers, see :class:`GroupMLP`.

    Shape:
        - input ``[batch, input_dim]`` or ``[batch, gate, input_dim]``
        - output: :class:`Gated`

    References:
        Ma et al.: Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts. KDD 2018.
    """

    reach: Tensor | None

    def __init__(
        self,
        input_dim: int,
        num_gates: int,
        num_experts: int,
        dims: tuple[int, ...] = (),
        *,
        bias: bool = False,
        reach: Tensor | None = None,
        activation: str = "relu",
        norm: str = "none",
    ) -> None:
        super().__init__()
        self.register_buffer("reach", reach, persistent=False)
        self.hidden = GroupMLP(num_gates, input_dim, dims, activation=activation, norm=norm)
        self.linear = GroupLinear(num_gates, self.hidden.output_dim, num_experts, bias=bias, gain=3**-0.5)

    def forward(self, x: Tensor) -> Gated:  # noqa: D102
        hidden = self.hidden(x) if len(self.hidden.layers) else x
        logits = self.linear(hidden)
        if self.reach is not None:
            logits = logits.masked_fill(~self.reach, -torch.inf)
        # at least float32, also under autocast: weights rounded to bf16 would not sum to 1
        return Gated(logits.softmax(dim=-1, dtype=torch.promote_types(logits.dtype, torch.float32)))
