"""Values that fill short lists and are not items."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gatewise.data.arrays import filled
from gatewise.data.plain_types import is_string
from gatewise.errors import TableError


def padding_among(dtype: pa.DataType | None, padding: int | str, purpose: str) -> int | str:
    """Return the declared padding as a key of a type: a number among strings is its decimal text.

    Raises:
        TableError: the padding is a text that is not an integer, and the keys are integers.
    """
    if dtype is None or pa.types.is_null(dtype):
        return padding
    if is_string(dtype):
        return str(padding)
    try:
        return int(padding)
    except ValueError:
        raise TableError(f"{purpose}: its padding is {padding!r}, its items are integers") from None


def not_padding(keys: pa.Array, padding: int | str) -> np.ndarray:
    """Return whether each key is an item rather than padding; nulls are items."""
    if pa.types.is_null(keys.type):
        return np.ones(len(keys), dtype=bool)
    found: np.ndarray = filled(pc.not_equal(keys, pa.scalar(padding, keys.type)), True)
    return found


def filled_at_random(lists: list[Any], padding: int | str, rng: np.random.Generator) -> list[Any]:
    """Return lists with padding at their end, and here and there before; null stays null."""

    def padded(items: list[Any] | None) -> list[Any] | None:
        if items is None:
            return None
        mixed = [padding if chosen else item for item, chosen in zip(items, rng.random(len(items)) < 0.1, strict=True)]
        return [*mixed, *[padding] * int(rng.integers(0, 3))]

    return [padded(items) for items in lists]
