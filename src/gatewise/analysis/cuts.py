"""A table cut into slices by the values of a column."""

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
"""In front of a column's name: how many rows of the table have the same value there, such as the rows of a user."""
NULL = "(null)"
OTHER = "(other)"


class Cut(NamedTuple):
    """A slice of a table.

    Attributes:
        column: the column that it is cut by, None for the whole table.
        value: what the slice is called.
        rows: which ones.
    """

    column: str | None
    value: str | None
    rows: Tensor | slice


def cut_table(
    table: pa.Table, columns: Sequence[str], *, bins: int = BINS, limit: int = LIMIT, keys: Collection[str] = ()
) -> list[Cut]:
    """Return the slices of each column in turn; slices of one column part the table.

    Numbers and times are cut into bins of about equally many rows, in order, unless they have no more than ``bins``
    values; other values are slices of their own, the most frequent first. Nulls (and NaN) are the last slice.

    Args:
        table: what is cut.
        columns: what it is cut by; ``"rows of user"`` is how many rows the table has of a row's user.
        bins: how many bins of numbers.
        limit: how many values at most; the rest is ``(other)``.
        keys: columns whose numbers are names and not cut into bins.

    Raises:
        TableError: no such column, or one of lists.
        DeclarationError: ``bins`` or ``limit`` is no positive number.
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
    # a null's code is the last one
    slices = np.append(slice_of, len(names))[codes]
    for k, value in enumerate([*names, NULL]):
        rows = np.flatnonzero(slices == k)
        if len(rows):
            yield Cut(name, value, torch.from_numpy(rows))


def cut_column(present: Collection[str], name: str) -> str:
    """Return the column of a table that cutting by a name reads."""
    return name if name in present else name.removeprefix(ROWS_OF)


def _rows_of(column: pa.Array) -> pa.Array:
    """Return how many rows have the same value as each row; null where that is null."""
    distinct = column.dictionary_encode()
    codes = pc.fill_null(distinct.indices, -1).to_numpy(zero_copy_only=False)
    counts = np.bincount(codes[codes >= 0], minlength=max(len(distinct.dictionary), 1))
    return pa.array(counts[codes], mask=codes < 0)


def _is_ordered(dtype: pa.DataType) -> bool:
    numbers = pa.types.is_integer(dtype) or pa.types.is_floating(dtype) or pa.types.is_decimal(dtype)
    return bool(numbers or pa.types.is_temporal(dtype))


def _keys(values: pa.Array, counts: np.ndarray, limit: int) -> tuple[list[str], np.ndarray]:
    """Return the names of slices, and which one each value is in; ``counts`` and the latter are ``[value]``."""
    order = np.argsort(-counts, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    names = [str(value) for value in values.take(pa.array(order[:limit])).to_pylist()]
    return names + [OTHER] * (len(order) > limit), rank.clip(max=limit)


def _bins(values: pa.Array, counts: np.ndarray, bins: int) -> tuple[list[str], np.ndarray]:
    """Return the same of values in order, cut where equally many rows lie between."""
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
    """Return how ends of bins are written: floats with as few digits as tell bins, and the ends of each, apart."""

    def write(value: object, digits: int) -> str:
        return f"{value:.{digits}g}" if isinstance(value, float) else str(value)

    def tells_apart(digits: int) -> bool:
        bins = {write(low, digits) for low, _ in ends}
        return len(bins) == len(ends) and all(write(a, digits) != write(b, digits) for a, b in ends if a != b)

    digits = next((d for d in range(3, 17) if tells_apart(d)), 17)
    return lambda value: write(value, digits)
