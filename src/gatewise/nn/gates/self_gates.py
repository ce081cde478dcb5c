"""Self-gates: weights of each unit's own experts."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import GroupLinear
from gatewise.nn.perceptrons import GroupMLP


class SelfGates(nn.Module):
    r"""Weights of every unit over its own experts alone, in addition to the gates that mix several sets of experts.

    .. math:: s^u(x) = \mathrm{softmax}(V_u x), \quad \text{with one expert} \quad s^u(x) = \sigma(V_u x)

    Set u of experts belongs to unit u; further sets belong to no unit.

    Args:
        input_dim: width of the input.
        num_units: number of units.
        num_sets: number of sets of experts, at least one per unit.
        experts: number of experts per set; they are side by side, set after set.
        dims: hidden widths; none: linear.
        hidden: the hidden layers, see :class:`Hidden`.

    Shape:
        - input ``[batch, input_dim]`` or ``[batch, unit, input_dim]``
        - output ``[batch, unit, num_sets * experts]``, at least float32, 0 for the experts of other sets

    Example:
        >>> SelfGates(4, num_units=2, num_sets=3, experts=1)(torch.zeros(1, 4)).tolist()
        [[[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]]]

    References:
        Wang et al.: HoME: Hierarchy of Multi-Gate Experts for Multi-Task Learning at Kuaishou. KDD 2025.
    """

    owned: Tensor

    def __init__(
        self,
        input_dim: int,
        num_units: int,
        num_sets: int,
        experts: int,
        dims: tuple[int, ...] = (),
        *,
        hidden: Hidden = Hidden(),
    ) -> None:
        super().__init__()
        self.hidden = GroupMLP(num_units, input_dim, dims, hidden=hidden)
        self.linear = GroupLinear(num_units, self.hidden.output_dim, experts, bias=False, gain=3**-0.5)
        # [unit, set, 1]
        self.register_buffer("owned", torch.eye(num_units, num_sets).unsqueeze(2), persistent=False)

    @override
    def forward(self, x: Tensor) -> Tensor:
        logits = self.linear(self.hidden(x) if len(self.hidden.layers) else x)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        of_own = logits.softmax(dim=2) if logits.shape[2] > 1 else logits.sigmoid()
        return (of_own.unsqueeze(2) * self.owned).flatten(2)
