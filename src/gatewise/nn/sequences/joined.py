"""Attention to a target of another width than the items."""

from __future__ import annotations

from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.sequences.padded import Padded
from gatewise.nn.sequences.target_attention import TargetAttention


class ProjectedAttention(nn.Module):
    """:class:`TargetAttention` to a target that a linear map brings to the items' width; an equally wide one stays.

    Args:
        dim: width of an item.
        target_dim: width of the target.
        dims: hidden widths of the perceptron.
        normalise: whether the weights sum to 1.

    Shape:
        - input: :class:`Padded`, and the target ``[batch, target_dim]``
        - output ``[batch, dim]``
    """

    def __init__(self, dim: int, target_dim: int, dims: tuple[int, ...] = (32,), *, normalise: bool = False) -> None:
        super().__init__()
        self.enter = nn.Identity() if target_dim == dim else nn.Linear(target_dim, dim)
        self.attention = TargetAttention(dim, dims, normalise=normalise)
        self.output_dim = dim

    @override
    def forward(self, items: Padded, target: Tensor) -> Tensor:
        pooled: Tensor = self.attention(items, self.enter(target))
        return pooled
