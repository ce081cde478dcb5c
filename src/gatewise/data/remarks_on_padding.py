"""Warnings about lists that were filled up to one length."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

LOOKED_AT = 1000
"""Number of rows that are examined."""
USUAL = ("", "0", "-1")
"""What people pad with; texts that name padding, such as ``<pad>``, are usual too."""
ENOUGH_ROWS = 20
"""Fewest rows that can look padded."""
SHARE = 0.1
"""Smallest share of padded rows, and of padding among the items."""
OTHERS, OTHERS_BESIDE_UNUSUAL = 3, 20
"""Fewest other values; flags and states of a few kinds often end in one value for good."""


def remark_on_padding(keys: pa.Array, offsets: np.ndarray) -> str | None:
    """Return a warning if lists of equal length seem to be filled up with one value; None otherwise.

    They do if one value ends (or begins) many lists in runs of different lengths, and stands nowhere else. Sorted lists
    and lists of a few states, which may end so by nature, do not count.

    Args:
        keys: items of rows; an item is null for a null list.
        offsets: the rows' offsets.
    """
    if pa.types.is_null(keys.type):
        return None
    distinct = keys.dictionary_encode()
    lists = _matrix(distinct.indices.fill_null(-1).to_numpy(zero_copy_only=False), offsets)
    if len(lists) < ENOUGH_ROWS or lists.shape[1] < 2:
        return None
    for place, ordered in (("ends", lists), ("begins", lists[:, ::-1])):
        for code in _filling(ordered):
            if _likely(distinct.dictionary, lists, code):
                value, share = distinct.dictionary[code].as_py(), (ordered[:, -1] == code).mean()
                found = f"all its lists have {lists.shape[1]} items, {value!r} {place} {share:.0%} of them"
                return f"{found} and stands nowhere else: is padding={value!r} meant? It counts as an item now"
    return None


def _matrix(codes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return lists of one length as ``[row, place]``, without null lists; no rows if lengths differ."""
    lengths, starts = np.diff(offsets), offsets[:-1]
    first = np.append(codes, 0)[starts]
    # a null list is one null item
    rows = np.flatnonzero((lengths != 1) | (first >= 0))
    length = int(lengths[rows[0]]) if len(rows) else 0
    if (lengths[rows] != length).any():
        return np.zeros((0, length), codes.dtype)
    return codes[starts[rows, np.newaxis] + np.arange(length)]


def _filling(lists: np.ndarray) -> Iterator[int]:
    """Yield the codes that fill the ends of many lists ``[row, place]`` and stand nowhere else."""
    codes, counts = np.unique(lists[:, -1], return_counts=True)
    for code in codes[(counts >= SHARE * len(lists)) & (codes >= 0)].tolist():
        same = lists == code
        runs = np.logical_and.accumulate(same[:, ::-1], axis=1).sum(axis=1)
        several = len(np.unique(runs[runs > 0])) > 1
        if several and same.mean() >= SHARE and (runs == same.sum(axis=1)).all():
            yield code


def _likely(values: pa.Array, lists: np.ndarray, code: int) -> bool:
    """Whether a value that fills lists is padding, judged by the value and the other items."""
    value = str(values[code].as_py())
    needed = OTHERS if value in USUAL or "pad" in value.lower() else OTHERS_BESIDE_UNUSUAL
    return len(values) > needed and not _sorted(pc.rank(values).to_numpy(), lists)


def _sorted(ranks: np.ndarray, lists: np.ndarray) -> bool:
    """Whether every list falls, or every list rises."""
    steps = np.diff(np.append(ranks.astype(np.int64), 0)[lists], axis=1)
    return bool((steps <= 0).all() or (steps >= 0).all())
