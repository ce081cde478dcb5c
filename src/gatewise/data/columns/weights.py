"""Weights of a sequence's items, from a list column of their own."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gatewise.data.columns.aligned import check_aligned
from gatewise.data.plain_types import is_string
from gatewise.data.values import RowOf, as_lists, as_numbers, list_of, no_number
from gatewise.errors import TableError

OF_NULL = 1.0
"""The weight of the one item of a null list."""


def item_weights(column: pa.Array, items: pa.Array, names: tuple[str, str], separator: str, purpose: str) -> np.ndarray:
    """Return the float32 weight of every item.

    Args:
        column: the column of weights: lists of numbers, or strings to split.
        items: the items, a large list array.
        names: the names of the columns of items and of weights.
        separator: text between the weights of strings.
        purpose: the reader of the columns, for messages.

    Raises:
        TableError: other lengths than those of the items, or a weight that is null, not finite or below 0; names the
            row and both columns.
    """
    lists = as_lists(column, separator, f"{purpose}, weights {names[1]!r}")
    check_aligned(items, lists, names, purpose)
    reader = f"{purpose}, a weight of column {names[1]!r} for an item of column {names[0]!r}"
    row_of = list_of(lists.offsets.to_numpy())
    numbers, nulls = as_numbers(as_floats(lists.values, reader, row_of), reader, row_of)
    _refuse(nulls, "null", reader, row_of)
    _refuse(numbers < 0, "a negative number", reader, row_of)
    return numbers.astype(np.float32)


def kept_weights(weights: np.ndarray, places: pa.Array | None) -> np.ndarray:
    """Return the weights of kept items, see :class:`Kept`."""
    if places is None:
        return weights
    found: np.ndarray = pa.array(weights).take(places).fill_null(OF_NULL).to_numpy(zero_copy_only=False)
    return found


def as_floats(values: pa.Array, reader: str, row_of: RowOf) -> pa.Array:
    """Return numbers; those of strings are read.

    Args:
        values: the items of a list column.
        reader: the reader of the column, for messages.
        row_of: from an item to its row.

    Raises:
        TableError: a string is not a number; names it and its row.
    """
    if not is_string(values.type):
        return values
    try:
        return values.cast(pa.float64())
    except pa.ArrowInvalid:
        found = no_number(values, row_of)
        raise TableError(f"{reader}: expected numbers between the separators, found strings{found}") from None


def _refuse(wrong: np.ndarray, what: str, reader: str, row_of: RowOf) -> None:
    if wrong.any():
        raise TableError(f"{reader}: found {what} in row {row_of(int(np.argmax(wrong)))}, expected 0 or more")
