"""Lists of different length as matrices."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.layout import PADDING
from gatewise.nn import TextBatch


def never_empty(ids: Tensor) -> Tensor:
    """Return lists ``[batch, length]`` with one more place of padding, so that no list has length 0."""
    return torch.nn.functional.pad(ids, (0, 1), value=PADDING)


def items_first(ids: Tensor, *beside: Tensor) -> list[Tensor]:
    """Return lists ``[batch, length]`` whose last place is padding, with all padding behind the items.

    Args:
        ids: rows of the items.
        beside: lists of numbers beside them, which move with them; padding becomes 0.
    """
    present = ids >= 0
    # every item's place among the items; padding is written to the last place
    place = torch.where(present, present.long().cumsum(dim=1) - 1, ids.shape[1] - 1)
    return [
        torch.full_like(lists, filler).scatter(1, place, torch.where(present, lists, filler))
        for lists, filler in ((ids, PADDING), *((numbers, 0) for numbers in beside))
    ]


def cut(length: int, keep: str, rows: Tensor, *beside: Tensor) -> list[Tensor]:
    """Return lists ``[batch, any]`` with the first or last items kept and padding for the rest.

    Args:
        length: largest number of items.
        keep: ``first`` or ``last``.
        rows: rows of the items.
        beside: lists of numbers beside them, which are cut alike.
    """
    places = torch.arange(rows.shape[1])
    present = (rows >= 0).sum(dim=1, keepdim=True)
    lists = [rows, *beside]
    if keep == "last":
        start = (present - length).clamp(min=0)
        moved = (places + start).clamp(max=rows.shape[1] - 1)
        lists = [found.gather(1, moved) for found in lists]
    kept = places < present.clamp(max=length)
    return [torch.where(kept, found, 0 if found.is_floating_point() else PADDING) for found in lists]


def one_each(tokens: Tensor) -> TextBatch:
    """Return a batch of texts ``[batch, length]``, one per row, and an empty text that no row has."""
    more = torch.nn.functional.pad(tokens, (0, 1, 0, 1), value=PADDING)
    return TextBatch(more, torch.arange(tokens.shape[0], device=tokens.device))
