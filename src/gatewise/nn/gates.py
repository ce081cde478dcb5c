"""Gates: how much each expert counts, decided by the input."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gatewise.nn.layers import GroupLinear, GroupMLP


class SoftmaxGates(nn.Module):
    r"""One softmax distribution over the experts for every gate.

    .. math:: g^k(x) = \mathrm{softmax}(W_k x)

    with :math:`W_k` of shape ``[expert, input_dim]`` and no bias; with hidden layers, softmax(W_k h_k(x)).

    Args:
        input_dim: width of the input.
        num_gates: how many gates, one a task in MMoE, one in all in OMoE.
        num_experts: how many experts each gate weighs.
        dims: hidden widths of every gate; none: linear.
        activation, dropout, norm: of the hidden layers, see :class:`GroupMLP`.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, gate, expert]``; every row sums to 1

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
        activation: str = "relu",
        dropout: float = 0.0,
        norm: str = "none",
    ) -> None:
        super().__init__()
        self.hidden = GroupMLP(num_gates, input_dim, dims, activation=activation, dropout=dropout, norm=norm)
        self.linear = GroupLinear(num_gates, self.hidden.output_dim, num_experts, bias=False, gain=3**-0.5)

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        hidden = self.hidden(x) if len(self.hidden.layers) else x
        logits = self.linear(hidden)
        # at least float32, also under autocast: weights rounded to bf16 would not sum to 1
        weights: Tensor = logits.softmax(dim=-1, dtype=torch.promote_types(logits.dtype, torch.float32))
        return weights
