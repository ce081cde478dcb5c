"""Gate units: factors around 1 for the units of a layer."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.layers import GroupLinear
from gatewise.nn.perceptrons import GroupMLP


class GateUnit(nn.Module):
    r"""Factors between 0 and 2, computed from the input.

    .. math:: \gamma(u) = 2 \, \sigma(W' \, \mathrm{relu}(W u + b) + b')

    Args:
        groups: number of units that read the same input, each with weights of its own.
        input_dim: width of the input.
        dims: hidden widths.
        output_dim: number of factors per unit.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, group, output_dim]``

    References:
        Chang et al.: PEPNet: Parameter and Embedding Personalized Network for Infusing with Personalized Prior
        Information. KDD 2023.
    """

    def __init__(self, groups: int, input_dim: int, dims: tuple[int, ...], output_dim: int) -> None:
        super().__init__()
        self.hidden = GroupMLP(groups, input_dim, dims)
        # a small gain, so that factors start near 1
        self.linear = GroupLinear(groups, self.hidden.output_dim, output_dim, gain=3**-0.5)

    @override
    def forward(self, x: Tensor) -> Tensor:
        hidden = self.hidden(x) if len(self.hidden.layers) else x
        return 2 * self.linear(hidden).sigmoid()
