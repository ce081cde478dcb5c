"""Pooling by a transformer encoder."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.draws import lent
from gatewise.errors import ShapeError
from gatewise.nn.layers import check_sizes
from gatewise.nn.sequences.padded import Padded


class TransformerPooling(nn.Module):
    """The mean of a transformer encoder's outputs; positions are counted from the last item, the most recent one.

    Args:
        input_dim: width of an item.
        dim: width of the hidden layers and the output, a multiple of ``heads``.
        heads: number of attention heads.
        layers: number of layers.
        dropout: dropout rate in training.

    Raises:
        ShapeError: ``dim`` is not a multiple of ``heads``.

    Shape:
        - input: :class:`Padded`, and any further arguments
        - output ``[batch, dim]``

    References:
        Vaswani et al.: Attention Is All You Need. NeurIPS 2017.
    """

    def __init__(self, input_dim: int, dim: int, *, heads: int = 2, layers: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        check_sizes(input_dim=input_dim, dim=dim, heads=heads, layers=layers)
        if dim % heads:
            raise ShapeError(f"dim: expected a multiple of {heads} heads, found {dim}")
        self.enter = nn.Linear(input_dim, dim)
        layer = nn.TransformerEncoderLayer(dim, heads, 2 * dim, dropout, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.output_dim = dim

    @override
    def forward(self, items: Padded, target: Tensor | None = None) -> Tensor:
        vectors, present = items
        if vectors.shape[0] == 0 or vectors.shape[1] == 0:
            return vectors.new_zeros(vectors.shape[0], self.output_dim)
        lengths = present.sum(dim=1, keepdim=True)
        age = (lengths - 1 - torch.arange(present.shape[1], device=present.device)).clamp(min=0)
        # attention without any item is undefined: an empty sequence attends to its padding, and gets zeros below
        hidden = ~present & (lengths > 0)
        with lent():
            encoded: Tensor = self.encoder(self.enter(vectors) + self._positions(age), src_key_padding_mask=hidden)
        return (encoded * present.unsqueeze(2)).sum(dim=1) / lengths.clamp(min=1)

    def _positions(self, age: Tensor) -> Tensor:
        """Return sines and cosines ``[batch, length, dim]`` of ``[batch, length]`` at falling frequencies."""
        exponents = torch.arange(0, self.output_dim, 2, device=age.device) / self.output_dim
        angles = age.unsqueeze(2) * torch.exp(-math.log(10_000) * exponents)
        return torch.cat([angles.sin(), angles.cos()], dim=2)[..., : self.output_dim]
