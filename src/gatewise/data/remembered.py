"""A cache of results by value, up to a number of bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

REMEMBERED_BYTES = 16 << 20
"""Largest size of the cache, in bytes."""
ENTRY_BYTES = 200
"""Approximate size of one entry: dict slot, short value and row."""


class Remembered:
    """A cache of function results, for values that repeat and take long to compute.

    Args:
        find: returns the results of some distinct values.
    """

    def __init__(self, find: Callable[[list[Any]], Sequence[Any]]) -> None:
        self._find = find
        self._known: dict[Any, Any] = {}
        self._bytes = 0

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        """Return the result of each value."""
        known = self._known
        unknown = [value for value in dict.fromkeys(values) if value not in known]
        if not unknown:
            return [known[value] for value in values]
        found = dict(zip(unknown, self._find(unknown), strict=True))
        size = sum(map(_kept_bytes, found.items()))
        if self._bytes + size > REMEMBERED_BYTES:
            # a new dict, as another thread may be reading the old one; results that do not fit at all are not kept
            self._known, self._bytes = ({}, 0) if size > REMEMBERED_BYTES else (dict(found), size)
            return [found[value] if value in found else known[value] for value in values]
        known.update(found)
        self._bytes += size
        return [known[value] for value in values]


def _kept_bytes(entry: tuple[Any, Any]) -> int:
    value, rows = entry
    text = 4 * len(value) if isinstance(value, str) else 0
    # a small integer in a list takes 8 bytes in the list and 28 bytes for the object
    return ENTRY_BYTES + text + (36 * len(rows) if isinstance(rows, list) else 0)
