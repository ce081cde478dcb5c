"""Grouped perceptrons whose layers add to their input."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.layers import GroupLinear, GroupMLP


class GroupResidualMLP(nn.Module):
    r"""Several residual perceptrons of equal shape as batched products.

    .. math:: h_{j} = R_j h_{j-1} + f_j(h_{j-1}), \quad h_0 = x

    where :math:`f_j` is a hidden layer and :math:`R_j` the identity, or a matrix if the width changes.

    Args:
        groups: number of perceptrons.
        input_dim: width of the input.
        dims: widths of the layers, one or more.
        activation, dropout, norm: see :class:`gatewise.nn.layers.GroupMLP`.

    Shape:
        - input ``[batch, input_dim]``, read by every group, or ``[batch, group, input_dim]``
        - output ``[batch, group, dims[-1]]``

    References:
        He et al.: Deep Residual Learning for Image Recognition. CVPR 2016.
    """

    def __init__(
        self,
        groups: int,
        input_dim: int,
        dims: tuple[int, ...],
        *,
        activation: str = "relu",
        dropout: float = 0.0,
        norm: str = "none",
    ) -> None:
        super().__init__()
        if not dims:
            raise ShapeError("dims: expected one layer or more, found none")
        pairs = list(zip((input_dim, *dims), dims, strict=False))
        self.layers = nn.ModuleList(
            GroupMLP(groups, width_in, (width,), activation=activation, dropout=dropout, norm=norm)
            for width_in, width in pairs
        )
        self.shortcuts = nn.ModuleList(
            nn.Identity() if width_in == width else GroupLinear(groups, width_in, width, bias=False, gain=1.0)
            for width_in, width in pairs
        )
        self.output_dim = dims[-1]

    @override
    def forward(self, x: Tensor) -> Tensor:
        for layer, shortcut in zip(self.layers, self.shortcuts, strict=True):
            kept = shortcut(x)
            x = layer(x) + (kept if kept.dim() == 3 else kept.unsqueeze(1))
        return x
