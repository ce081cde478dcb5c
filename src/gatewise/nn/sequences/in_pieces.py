"""Lists pooled in pieces of rows of like length, so that one long list does not make all others as long."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

PLACES = 2**20
"""Up to so many places of a padded matrix are pooled at once."""


def pooled_in_pieces(ids: Tensor, pool: Callable[[Tensor, Tensor | None], Tensor]) -> Tensor:
    """Pool lists, all at once where they are few or short.

    Otherwise rows are taken by rising length, as many as fill so many places, and padded to the longest of them: what
    that takes grows with the number of items, and not with rows times the longest list.

    Args:
        ids: ``[batch, length]``, padded with -1 at the end.
        pool: makes ``[row, dim]`` of ids ``[row, length]`` and which rows these are, None: all.

    Returns:
        ``[batch, dim]``.
    """
    if torch.compiler.is_compiling() or ids.numel() <= PLACES:
        return pool(ids, None)
    lengths, order = (ids >= 0).sum(dim=1).sort(stable=True)
    pieces = [pool(ids[rows, :longest], rows) for rows, longest in _pieces(lengths, order)]
    return torch.cat(pieces).index_select(0, order.argsort())


def _pieces(lengths: Tensor, order: Tensor) -> Iterator[tuple[Tensor, int]]:
    """Yield rows and the length of the longest, from rising lengths ``[batch]``."""
    start, ends = 0, lengths.tolist()
    for end in range(1, len(ends) + 1):
        full = end < len(ends) and (end + 1 - start) * ends[end] > PLACES
        if full or end == len(ends):
            yield order[start:end], ends[end - 1]
            start = end
