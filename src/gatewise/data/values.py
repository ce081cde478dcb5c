"""Conversion of raw columns to keys, numbers and lists; errors name the column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gatewise.data.arrays import as_type, filled, null_mask
from gatewise.data.plain_types import is_list, is_string, large_list
from gatewise.errors import TableError
from gatewise.layout import NULL

RowOf = Callable[[int], int]
LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Distinct:
    """Dictionary-encoded column; nulls get code ``len(values)``."""

    values: pa.Array
    codes: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        """Number of rows of each distinct value."""
        return np.bincount(self.codes, minlength=len(self.values) + 1)[:-1]

    def first_row(self, place: int) -> int:
        """Return the first row with the distinct value at ``place``."""
        return int(np.argmax(self.codes == place))

    def rows(self, row_of_value: np.ndarray) -> np.ndarray:
        """Return the embedding row of every row, from one embedding row per distinct value; null has a reserved row."""
        # NumPy would convert all codes to int64 first
        return pa.array(np.append(row_of_value, np.int32(NULL))).take(pa.array(self.codes)).to_numpy()


def distinct(values: pa.Array) -> Distinct:
    """Split keys into distinct values (int64 or large_string) and codes."""
    if pa.types.is_null(values.type):
        return Distinct(values.slice(0, 0), np.zeros(len(values), dtype=np.int32))
    encoded = values.dictionary_encode()
    values = encoded.dictionary
    # the codes of all columns are kept until they are encoded: in 8 or 16 bits where these hold the code of null
    narrow = pa.from_numpy_dtype(np.min_scalar_type(len(values)))
    codes = filled(encoded.indices.cast(narrow) if narrow.bit_width < 32 else encoded.indices, len(values))
    # values of several columns may be joined, so that all strings need one type
    return Distinct(as_type(values, pa.large_string()) if is_string(values.type) else values, codes)


def distinct_keys(column: pa.Array, purpose: str) -> Distinct:
    """Split a raw column into distinct keys and codes.

    Raises:
        TableError: see :func:`as_keys`.
    """
    # floats are checked by row: dictionary entries without a row need not be whole numbers
    if not pa.types.is_dictionary(column.type) or pa.types.is_floating(column.type.value_type):
        return distinct(as_keys(column, purpose))
    # the column is dictionary-encoded already, but its dictionary may hold a value twice, or null
    known = distinct(as_keys(column.dictionary, purpose))
    code_of = np.append(known.codes, np.int32(len(known.values)))
    # the dictionary may be longer than int8 can count
    entries = filled(as_type(column.indices, pa.int64()), len(column.dictionary))
    return Distinct(known.values, code_of[entries])


def as_keys(column: pa.Array, purpose: str, row_of: RowOf = int) -> pa.Array:
    """Return ids or categories as int64, string or large_string (or null, if all are null).

    Unsigned 64-bit ids keep their bits. Floating columns are accepted if every value is a whole number that the type
    holds exactly: pandas stores integers with missing values as floats.

    Args:
        column: a column, or the items of a list column.
        purpose: the reader of the column, for messages.
        row_of: from an item of a list column to its row.

    Raises:
        TableError: lists, fractions, or a type that cannot be a key.
    """
    dtype = column.type
    if pa.types.is_dictionary(dtype):
        return as_keys(column.dictionary_decode(), purpose, row_of)
    if pa.types.is_null(dtype):
        return column
    if pa.types.is_uint64(dtype):
        return column.view(pa.int64())
    if pa.types.is_integer(dtype) or pa.types.is_boolean(dtype):
        return as_type(column, pa.int64())
    if pa.types.is_floating(dtype):
        return _whole(column, purpose, row_of)
    if pa.types.is_string(dtype):
        # widened later, after the values are reduced to distinct ones
        return column
    if is_string(dtype) or pa.types.is_date(dtype):
        return as_type(column, pa.large_string())
    raise TableError(f"{purpose}: expected integers, strings or booleans, found {dtype}{_hint(dtype)}")


def _whole(column: pa.Array, purpose: str, row_of: RowOf) -> pa.Array:
    exact = 2 ** (53 if column.type == pa.float64() else 24 if column.type == pa.float32() else 11)
    values = filled(as_type(column, pa.float64()), 0)
    bad = np.flatnonzero(~((values == np.floor(values)) & (np.abs(values) < exact)))
    if len(bad):
        found = f"{values[bad[0]]} in row {row_of(bad[0])}"
        exactly = f"{column.type} is exact for ids below {exact} only"
        raise TableError(f"{purpose}: expected integers or strings, found {found} ({exactly})")
    return pa.array(values.astype(np.int64), mask=null_mask(column))


def as_numbers(column: pa.Array, purpose: str, row_of: RowOf = int) -> tuple[np.ndarray, np.ndarray]:
    """Return float64 numbers and a mask of nulls; numbers under the mask are 0.

    Args:
        column: a column, or the items of a list column.
        purpose: the reader of the column, for messages.
        row_of: from an item of a list column to its row.

    Raises:
        TableError: not numbers; NaN, infinity, or values outside the range of float32 (missing values are nulls).
    """
    dtype = column.type
    if pa.types.is_dictionary(dtype):
        column, dtype = column.dictionary_decode(), column.type.value_type
    numeric = pa.types.is_integer(dtype) or pa.types.is_floating(dtype) or pa.types.is_boolean(dtype)
    if pa.types.is_boolean(dtype):
        column = column.cast(pa.int8())
    elif not (numeric or pa.types.is_decimal(dtype) or pa.types.is_null(dtype)):
        raise TableError(f"{purpose}: expected numbers, found {dtype}{_hint(dtype) or no_number(column, row_of)}")
    numbers = filled(as_type(column, pa.float64(), safe=False), 0)
    # the extremes of a column with NaN are NaN; only a bad column is searched for the bad row
    if len(numbers) and not (numbers.min() >= -LARGEST and numbers.max() <= LARGEST):
        bad = np.flatnonzero(~(np.abs(numbers) <= LARGEST))
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        found = f"{numbers[bad[0]]} in row {row_of(bad[0])}{more}"
        raise TableError(f"{purpose}: found {found}, expected finite numbers or null")
    return numbers, null_mask(column)


def list_of(offsets: np.ndarray) -> RowOf:
    """Return the function from an item's position to the row of its list."""
    return lambda item: int(np.searchsorted(offsets[1:], item, side="right"))


def as_lists(column: pa.Array, separator: str, purpose: str) -> pa.Array:
    """Return a list column; strings are split at the separator, without empty items.

    Raises:
        TableError: neither lists nor strings.
    """
    dtype = column.type
    if pa.types.is_dictionary(dtype):
        return as_lists(column.dictionary_decode(), separator, purpose)
    if pa.types.is_null(dtype):
        return column.cast(pa.large_list(pa.null()))
    if is_string(dtype):
        return _split(as_type(column, pa.large_string()), separator)
    if is_list(dtype):
        return large_list(column, column.flatten())
    raise TableError(f"{purpose}: expected lists, or strings parted by {separator!r}, found {dtype}")


def _split(strings: pa.Array, separator: str) -> pa.Array:
    lists = pc.split_pattern(strings, separator)
    items = pc.utf8_trim_whitespace(lists.flatten())
    ends = np.concatenate([[0], np.cumsum(filled(lists.value_lengths(), 0))])
    there = pc.not_equal(items, "").to_numpy(zero_copy_only=False)
    kept = np.concatenate([[0], np.cumsum(there)])
    return pa.LargeListArray.from_arrays(pa.array(kept[ends]), items.filter(pa.array(there)), mask=_mask(strings))


def _mask(column: pa.Array) -> pa.Array | None:
    return column.is_null() if column.null_count else None


def no_number(column: pa.Array, row_of: RowOf = int) -> str:
    """Return the first text that is not a number, and its row, as an end of a sentence; empty if there are no texts."""
    if not is_string(column.type):
        return ""
    for row, text in enumerate(column):
        try:
            float(text.as_py() or 0)
        except ValueError:
            return f", such as {text.as_py()[:40]!r} in row {row_of(row)}"
    return ", though all of them can be read as numbers"


def _hint(dtype: pa.DataType) -> str:
    """Return advice on values that are neither numbers nor keys."""
    if is_list(dtype):
        return " (declare it as a Sequence or a Vector)"
    if pa.types.is_temporal(dtype):
        return " (make of it what matters first, such as its hour, its weekday, or the days since some day)"
    return ""
