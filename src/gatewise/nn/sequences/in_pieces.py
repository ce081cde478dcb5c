"""Lists pooled in groups of similar length, so that one long list does not lengthen the padding of all others."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

PLACES = 2**20
"""Largest size of a padded matrix that is pooled at once."""


def pooled_in_pieces(ids: Tensor, pool: Callable[[Tensor, Tensor | None], Tensor]) -> Tensor:
    """Return the pooled vectors of lists; few or short lists are pooled at once.

    Otherwise rows are sorted by length and cut into pieces of limited size, each padded to its longest list: memory
    grows with the number of items, not with rows times the longest list.

    Args:
        ids: ``[batch, length]``, padded with -1 at the end.
        pool: returns ``[row, dim]`` for ids ``[row, length]`` and the indices of their rows, None: all rows.

    Returns:
        ``[batch, dim]``.
    """
    if torch.compiler.is_compiling() or ids.numel() <= PLACES:
        return pool(ids, None)
    lengths, order = (ids >= 0).sum(dim=1).sort(stable=True)
    pieces = [pool(ids[rows, :longest], rows) for rows, longest in _pieces(lengths, order)]
    return torch.cat(pieces).index_select(0, order.argsort())


def _pieces(lengths: Tensor, order: Tensor) -> Iterator[tuple[Tensor, int]]:
    """Yield the rows and the longest length of every piece, from rising lengths ``[batch]``."""
    start, ends = 0, lengths.tolist()
    for end in range(1, len(ends) + 1):
        full = end < len(ends) and (end + 1 - start) * ends[end] > PLACES
        if full or end == len(ends):
            yield order[start:end], ends[end - 1]
            start = end
