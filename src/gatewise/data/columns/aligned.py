"""List columns that stand beside each other: an item of one belongs to the item at its place in the others."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa

from gatewise.data.arrays import null_mask
from gatewise.errors import TableError


class Kept(NamedTuple):
    """The items of lists that are kept.

    Attributes:
        places: the place of each among all items, null for the one item of a null list; None: all items are kept.
        offsets: where the kept items of each row begin and end.
    """

    places: pa.Array | None
    offsets: np.ndarray

    def of(self, items: pa.Array) -> pa.Array:
        """Return the kept ones of all items, null for the one item of a null list."""
        return items if self.places is None else items.take(self.places)


def kept_items(
    lists: pa.Array, is_item: np.ndarray | None = None, length: int | None = None, keep: str = "last"
) -> Kept:
    """Return which items of lists are kept; a null list has one item.

    Args:
        lists: a large list array.
        is_item: whether each value is an item; None: all are.
        length: largest number of items of a row.
        keep: whether the ``first`` or the ``last`` items are kept.
    """
    missing, starts = null_mask(lists), lists.offsets.to_numpy()
    count, there = len(lists.values), None
    if is_item is not None and not is_item.all():
        there = np.flatnonzero(is_item)
        count, starts = len(there), np.concatenate([[0], np.cumsum(is_item)])[starts]
    starts, lengths = starts[:-1], np.where(missing, 0, np.diff(starts))
    if length is not None:
        # no list is longer than all lists together, and a declared length may be any integer
        cut = np.maximum(lengths - min(length, count), 0)
        starts = starts + cut if keep == "last" else starts
        lengths = lengths - cut
    lengths = np.where(missing, 1, lengths)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    if there is None and offsets[-1] == count and not missing.any():
        return Kept(None, offsets)
    places, null = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1]), np.repeat(missing, lengths)
    if there is not None:
        places[~null] = there[places[~null]]
    return Kept(pa.array(places, mask=null), offsets)


def check_aligned(first: pa.Array, other: pa.Array, names: tuple[str, str], purpose: str) -> None:
    """Refuse list columns whose lists differ in length; a null list has no items.

    Args:
        first: a large list array.
        other: the lists that stand beside it.
        names: the names of their columns.
        purpose: the reader of the columns, for the message.

    Raises:
        TableError: names the first row that differs, and both columns.
    """
    lengths, further = _lengths(first), _lengths(other)
    wrong = np.flatnonzero(lengths != further)
    if len(wrong):
        row = wrong[0]
        found = f"{names[0]!r} has {lengths[row]} items and {names[1]!r} has {further[row]} in row {row}"
        raise TableError(f"{purpose}: column {found}, expected one for each")


def _lengths(lists: pa.Array) -> np.ndarray:
    return np.where(null_mask(lists), 0, np.diff(lists.offsets.to_numpy()))
