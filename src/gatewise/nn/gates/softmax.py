"""Softmax gates: every expert has a weight, computed from the input."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.gates.gates import Gates
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import GroupLinear
from gatewise.nn.perceptrons import GroupMLP


class SoftmaxGates(Gates):
    r"""One softmax distribution over the experts for every gate.

    .. math:: g^k(x) = \mathrm{softmax}(W_k x)

    with :math:`W_k` of shape ``[expert, input_dim]``; with hidden layers, softmax(W_k h_k(x)).

    Args:
        input_dim: width of the input.
        num_gates: number of gates: one per task in MMoE, one for all tasks in OMoE.
        num_experts: number of experts per gate.
        dims: hidden widths of every gate; none: linear.
        bias: whether the last layer has a bias.
        zero_init: start with a last layer of zeros, so that all weights are equal.
        hidden: the hidden layers, see :class:`Hidden`.
        **common: see :class:`Gates`.

    Shape:
        - input ``[batch, input_dim]`` or ``[batch, gate, input_dim]``
        - output: :class:`Gated`

    References:
        Ma et al.: Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts. KDD 2018.
    """

    def __init__(
        self,
        input_dim: int,
        num_gates: int,
        num_experts: int,
        dims: tuple[int, ...] = (),
        *,
        bias: bool = False,
        zero_init: bool = False,
        hidden: Hidden = Hidden(),
        **common: Any,
    ) -> None:
        super().__init__(input_dim, num_experts, **common)
        self.hidden = GroupMLP(num_gates, self.read_dim, dims, hidden=hidden)
        self.linear = GroupLinear(num_gates, self.hidden.output_dim, num_experts, bias=bias, gain=3**-0.5)
        if zero_init:
            nn.init.zeros_(self.linear.weight)

    @override
    def logits(self, x: Tensor) -> Tensor:
        scores: Tensor = self.linear(self.features(x))
        return scores

    def features(self, x: Tensor) -> Tensor:
        """Return the input of the last layer."""
        hidden: Tensor = self.hidden(x) if len(self.hidden.layers) else x
        return hidden
