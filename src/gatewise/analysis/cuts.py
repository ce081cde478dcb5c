"""Slices of a table by the values of a column."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from gatewise.data import as_type, nan_to_null, pick_column
from gatewise.errors import DeclarationError, TableError

BINS, LIMIT = 5, 20
ROWS_OF = "rows of "
"""Prefix of a column's name: cut by the number of rows with an equal value, such as the rows of a user."""
NULL = "(null)"
OTHER = "(other)"


class Cut(NamedTuple):
    """A slice of a table.

    Attributes:
        column: the column of the slices, None for the whole table.
        value: the name of the slice.
        rows: the indices of the rows.
    """

    column: str | None
    value: str | None
    rows: Tensor | slice


def cut_table(
    table: pa.Table, columns: Sequence[str], *, bins: int = BINS, limit: int = LIMIT, keys: Collection[str] = ()
) -> list[Cut]:
    """Return the slices of each column in turn; every row is in one slice per column.

    Numbers and times are cut into bins of about equally many rows, in order, unless they have no more than ``bins``
    values; every other value is a slice of its own, the most frequent first. Nulls (and NaN) are the last slice.

    Args:
        table: the table to cut.
        columns: the columns to cut by; ``"rows of user"`` is the number of rows in the table with a row's user.
        bins: the number of bins for numbers.
        limit: the largest number of values; the rest is ``(other)``.
        keys: columns whose numbers are names, which are not cut into bins.

    Raises:
        TableError: a column is missing or holds lists.
        DeclarationError: ``bins`` or ``limit`` is not a positive number.
    """
    for option, number in (("bins", bins), ("limit", limit)):
        if number < 1:
            raise DeclarationError(f"slices: expected {option} of 1 or more, found {number}")
    return [cut for column in columns for cut in _cut_column(table, column, bins, limit, column in keys)]


def _cut_column(table: pa.Table, name: str, bins: int, limit: int, is_key: bool) -> Iterator[Cut]:
    column = pick_column(table, cut_column(table.column_names, name), f"slices by {name!r}")
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_nested(column.type):
        raise TableError(f"slices by {name!r}: expected numbers, times, strings or booleans, found {column.type}")
    if pa.types.is_floating(column.type):
        # Arrow neither orders nor numbers float16
        column = nan_to_null(as_type(column, pa.float32()) if pa.types.is_float16(column.type) else column)
    if name not in table.column_names:
        column, is_key = _rows_of(column), False
    distinct = column.dictionary_encode()
    codes = pc.fill_null(distinct.indices, -1).to_numpy(zero_copy_only=False)
    counts = np.bincount(codes[codes >= 0], minlength=len(distinct.dictionary))
    ordered = not is_key and _is_ordered(column.type)
    names, slice_of = (_bins if ordered else _keys)(distinct.dictionary, counts, bins if ordered else limit)
    # nulls have the last code
    slices = np.append(slice_of, len(names))[codes]
    for k, value in enumerate([*names, NULL]):
        rows = np.flatnonzero(slices == k)
        if len(rows):
            yield Cut(name, value, torch.from_numpy(rows))


def cut_column(present: Collection[str], name: str) -> str:
    """Return the name of the table's column behind a name to cut by."""
    return name if name in present else name.removeprefix(ROWS_OF)


def _rows_of(column: pa.Array) -> pa.Array:
    """Return, per row, the number of rows with an equal value; null for null."""
    distinct = column.dictionary_encode()
    codes = pc.fill_null(distinct.indices, -1).to_numpy(zero_copy_only=False)
    counts = np.bincount(codes[codes >= 0], minlength=max(len(distinct.dictionary), 1))
    return pa.array(counts[codes], mask=codes < 0)


def _is_ordered(dtype: pa.DataType) -> bool:
    numbers = pa.types.is_integer(dtype) or pa.types.is_floating(dtype) or pa.types.is_decimal(dtype)
    return bool(numbers or pa.types.is_temporal(dtype))


def _keys(values: pa.Array, counts: np.ndarray, limit: int) -> tuple[list[str], np.ndarray]:
    """Return the names of slices, and the slice ``[value]`` of each value; ``counts`` is ``[value]``."""
    order = np.argsort(-counts, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    names = [str(value) for value in values.take(pa.array(order[:limit])).to_pylist()]
    return names + [OTHER] * (len(order) > limit), rank.clip(max=limit)


def _bins(values: pa.Array, counts: np.ndarray, bins: int) -> tuple[list[str], np.ndarray]:
    """Return names and slices, like :func:`_keys`, for bins of about equally many rows."""
    order = pc.sort_indices(values).to_numpy()
    if len(order) <= bins:
        part = np.arange(len(order))
    else:
        middles = np.cumsum(counts[order]) - counts[order] / 2
        part = np.unique((middles / counts.sum() * bins).astype(np.int64), return_inverse=True)[1]  # [value in order]
    first = np.flatnonzero(np.diff(part, prepend=-1))
    last = np.append(first[1:], len(order))[: len(first)] - 1
    lowest, highest = (values.take(pa.array(order[place])).to_pylist() for place in (first, last))
    ends = list(zip(lowest, highest, strict=True))
    shown = _shown(ends)
    names = [shown(a) if a == b else f"{shown(a)} to {shown(b)}" for a, b in ends]
    slice_of = np.empty_like(order, dtype=np.int64)
    slice_of[order] = part
    return names, slice_of


def _shown(ends: Sequence[tuple[object, object]]) -> Callable[[object], str]:
    """Return a function that writes the ends of bins: floats get the fewest digits that tell all ends apart."""

    def write(value: object, digits: int) -> str:
        return f"{value:.{digits}g}" if isinstance(value, float) else str(value)

    def tells_apart(digits: int) -> bool:
        bins = {write(low, digits) for low, _ in ends}
        return len(bins) == len(ends) and all(write(a, digits) != write(b, digits) for a, b in ends if a != b)

    digits = next((d for d in range(3, 17) if tells_apart(d)), 17)
    return lambda value: write(value, digits)
