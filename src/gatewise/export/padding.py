"""Lists of different length as matrices."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.layout import PADDING
from gatewise.nn import TextBatch


def never_empty(ids: Tensor) -> Tensor:
    """Return lists ``[batch, length]`` with one more place of padding, so that no list has length 0."""
    return torch.nn.functional.pad(ids, (0, 1), value=PADDING)


def items_first(ids: Tensor) -> Tensor:
    """Return lists ``[batch, length]`` whose last place is padding, with all padding behind the items."""
    present = ids >= 0
    # every item's place among the items; padding is written to the last place
    place = torch.where(present, present.long().cumsum(dim=1) - 1, ids.shape[1] - 1)
    return torch.full_like(ids, PADDING).scatter(1, place, torch.where(present, ids, PADDING))


def one_each(tokens: Tensor) -> TextBatch:
    """Return a batch of texts ``[batch, length]``, one per row, and an empty text that no row has."""
    more = torch.nn.functional.pad(tokens, (0, 1, 0, 1), value=PADDING)
    return TextBatch(more, torch.arange(tokens.shape[0], device=tokens.device))
