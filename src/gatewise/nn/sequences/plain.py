"""Mean, sum or maximum of the items."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.sequences.padded import Padded


class PlainPooling(nn.Module):
    """The ``mean``, ``sum`` or ``max`` of a sequence's items.

    Args:
        kind: ``mean``, ``sum`` or ``max``.
        dim: width of an item.

    Shape:
        - input: :class:`Padded`, and any further arguments
        - output ``[batch, dim]``
    """

    def __init__(self, kind: str, dim: int) -> None:
        super().__init__()
        self.kind, self.output_dim = kind, dim

    @override
    def forward(self, items: Padded, target: Tensor | None = None) -> Tensor:
        vectors, present = items
        if self.kind == "sum" or vectors.shape[1] == 0:
            return vectors.sum(dim=1)
        if self.kind == "max":
            lowest = torch.finfo(vectors.dtype).min
            return vectors.masked_fill(~present.unsqueeze(2), lowest).amax(dim=1) * present.any(dim=1, keepdim=True)
        return vectors.sum(dim=1) / present.sum(dim=1, keepdim=True).clamp(min=1)
