"""Results that are kept by the value they belong to, up to a number of bytes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

REMEMBERED_BYTES = 16 << 20
"""What is kept of values and their rows at most, where finding them takes longer than a look into a dict."""
ENTRY_BYTES = 200
"""About what a dict, a short value and its row take."""


class Remembered:
    """Finds what belongs to values, and keeps it: for values that come again and take long to work out.

    Args:
        find: returns what belongs to each of some distinct values.
    """

    def __init__(self, find: Callable[[list[Any]], Sequence[Any]]) -> None:
        self._find = find
        self._known: dict[Any, Any] = {}
        self._bytes = 0

    def __call__(self, values: Sequence[Any]) -> list[Any]:
        """Return what belongs to each value."""
        known = self._known
        unknown = [value for value in dict.fromkeys(values) if value not in known]
        if not unknown:
            return [known[value] for value in values]
        found = dict(zip(unknown, self._find(unknown), strict=True))
        size = sum(map(_kept_bytes, found.items()))
        if self._bytes + size > REMEMBERED_BYTES:
            # another thread may be reading the old one; what does not fit at all is forgotten at once
            self._known, self._bytes = ({}, 0) if size > REMEMBERED_BYTES else (dict(found), size)
            return [found[value] if value in found else known[value] for value in values]
        known.update(found)
        self._bytes += size
        return [known[value] for value in values]


def _kept_bytes(entry: tuple[Any, Any]) -> int:
    value, rows = entry
    text = 4 * len(value) if isinstance(value, str) else 0
    # a small integer of a list is 8 bytes in it and 28 of its own
    return ENTRY_BYTES + text + (36 * len(rows) if isinstance(rows, list) else 0)
