"""Grouped perceptrons: several of equal shape as batched products, plain or residual."""

from __future__ import annotations

import itertools

from torch import Tensor, nn
from typing_extensions import override

from gatewise.errors import ShapeError
from gatewise.nn.activations import UnitActivation
from gatewise.nn.hidden import Hidden
from gatewise.nn.layers import GroupLinear, GroupNorm, check_sizes


class GroupMLP(nn.Module):
    """Several multi-layer perceptrons of equal shape as batched products: linear, norm, activation, dropout.

    Args:
        groups: number of perceptrons.
        input_dim: width of the input.
        dims: widths of the hidden layers; none: the input is passed on.
        hidden: what follows each linear map, see :class:`Hidden`.

    Shape:
        - input ``[batch, input_dim]``, read by every group, or ``[batch, group, input_dim]``
        - output ``[batch, group, output_dim]``
    """

    def __init__(
        self,
        groups: int,
        input_dim: int,
        dims: tuple[int, ...],
        *,
        hidden: Hidden = Hidden(),
    ) -> None:
        super().__init__()
        check_sizes(groups=groups, input_dim=input_dim, **{f"dims[{i}]": width for i, width in enumerate(dims)})
        self.groups = groups
        self.output_dim = dims[-1] if dims else input_dim
        layers: list[nn.Module] = []
        for width_in, width in zip((input_dim, *dims), dims, strict=False):
            layers.append(GroupLinear(groups, width_in, width))
            layers.extend(hidden.layers(groups, width))
        self.layers = nn.ModuleList(layers)
        # linear layers that apply their activation themselves
        self.rectified = {
            i
            for i, (layer, following) in enumerate(itertools.pairwise(layers))
            if isinstance(layer, GroupLinear) and isinstance(following, nn.ReLU)
        }
        self.ends_rectified = len(layers) - 2 in self.rectified

    @override
    def forward(self, x: Tensor, *, rectify_last: bool = True) -> Tensor:
        """Return the last hidden layer; without ``rectify_last``, before its final ReLU."""
        if not self.layers and x.dim() == 2:
            return x.unsqueeze(1).expand(-1, self.groups, -1)
        for i, layer in enumerate(self.layers):
            if i in self.rectified:
                x = layer(x, rectify=rectify_last or i + 2 < len(self.layers))
            elif i - 1 not in self.rectified:
                x = layer(x)
        return x

    def one(self, group: int, x: Tensor) -> Tensor:
        """Return one group's last hidden layer ``[batch, output_dim]``, in evaluation mode."""
        for layer in self.layers:
            x = layer.one(group, x) if isinstance(layer, (GroupLinear, GroupNorm, UnitActivation)) else layer(x)
        return x


class GroupResidualMLP(nn.Module):
    r"""Several residual perceptrons of equal shape as batched products.

    .. math:: h_{j} = R_j h_{j-1} + f_j(h_{j-1}), \quad h_0 = x

    where :math:`f_j` is a hidden layer and :math:`R_j` the identity, or a matrix if the width changes.

    Args:
        groups: number of perceptrons.
        input_dim: width of the input.
        dims: widths of the layers, one or more.
        hidden: the hidden layers, see :class:`Hidden`.

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
        hidden: Hidden = Hidden(),
    ) -> None:
        super().__init__()
        if not dims:
            raise ShapeError("dims: expected one layer or more, found none")
        pairs = list(zip((input_dim, *dims), dims, strict=False))
        self.layers = nn.ModuleList(GroupMLP(groups, width_in, (width,), hidden=hidden) for width_in, width in pairs)
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
