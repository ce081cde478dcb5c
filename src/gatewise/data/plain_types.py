"""Conversion of every column that is read to one of a few plain types.

The plain types are null, booleans, integers, floats, strings, binary, dates and times, lists of these types, and
dictionaries of strings or integers without null entries. A column of a plain type is passed on without a copy.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gatewise.data.arrays import as_type, filled
from gatewise.errors import TableError

NAME = b"ARROW:extension:name"
"""Metadata key with the name of a field's extension type, also of a type that is not registered in this process."""
REFUSED = {
    "pandas.period": "pandas Periods; make them text with astype(str), or times with dt.to_timestamp()",
    "pandas.interval": "pandas Intervals; make them text with astype(str)",
    "arrow.opaque": "values of a type that Arrow does not know; cast them to a number or a text where they come from",
}
"""Extension types whose values cannot be understood from their storage."""
EXPECTED = "numbers, booleans, strings, times or lists of them"

Step = Callable[[pa.Array], pa.Array]


def plain_column(column: pa.ChunkedArray, field: pa.Field, purpose: str) -> pa.Array:
    """Return a column as one array of a plain type.

    A column with only nulls gets the type null, since its original type has no meaning. Whole decimals are integers,
    int64 or uint64 if they fit; other decimals are float64.

    Args:
        column: a column of a table.
        field: the column's field, for the name of an extension type.
        purpose: the reader of the column, for messages.

    Raises:
        TableError: structures, maps, unions, or values of an unknown meaning.
    """
    known = field.metadata.get(NAME) if field.metadata else None
    if column.null_count == len(column):
        return pa.nulls(len(column))
    if known is not None and not isinstance(column.type, pa.BaseExtensionType):
        _refuse_by_name(known.decode(errors="replace"), purpose)
    return _plain(one_array(column), purpose)


def one_array(column: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array, in its own type unless the type cannot hold all values, such as 2 GB of text."""
    if column.num_chunks == 1:
        return column.chunk(0)
    if column.num_chunks == 0:
        return pa.array([], column.type)
    try:
        return pa.concat_arrays(column.chunks)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.concat_arrays(wide_column(column).chunks)


def wide_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column without views, runs, dictionaries and extension types, with offsets of 64 bits."""
    chunks = [_wide(chunk) for chunk in column.chunks]
    return pa.chunked_array(chunks, None if chunks else _wide(pa.array([], column.type)).type)


def null_count(column: pa.ChunkedArray) -> int:
    """Return how many rows of a column are null, also where Arrow does not count them: in dictionaries and runs."""
    return sum(map(_nulls, column.chunks))


def _nulls(column: pa.Array) -> int:
    if isinstance(column.type, pa.BaseExtensionType):
        return _nulls(column.storage)
    hidden = pa.types.is_run_end_encoded(column.type) or (
        pa.types.is_dictionary(column.type) and column.dictionary.null_count
    )
    return (_wide(column) if hidden else column).null_count


def take_rows(table: pa.Table, rows: np.ndarray | pa.Array) -> pa.Table:
    """Return rows of a table; columns keep their types, except types that Arrow cannot index, such as views."""
    columns = {name: _taken(column, rows) for name, column in zip(table.column_names, table.columns, strict=True)}
    return pa.table(columns) if columns else table.slice(0, len(rows))


def _taken(column: pa.ChunkedArray, rows: np.ndarray | pa.Array) -> pa.Array | pa.ChunkedArray:
    try:
        return column.take(rows)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.concat_arrays(wide_column(column).chunks).take(rows)


def _plain(column: pa.Array, purpose: str) -> pa.Array:
    """Return an array of a plain type, without a copy if its type is plain already."""
    dtype, within = column.type, partial(_plain, purpose=purpose)
    if pa.types.is_null(dtype):
        return column
    if column.null_count == len(column):
        return pa.nulls(len(column))
    if isinstance(dtype, pa.BaseExtensionType):
        _refuse_by_name(dtype.extension_name, purpose)
        return _plain(_unwrapped(column), purpose)
    if pa.types.is_decimal(dtype):
        return _numbers(column)
    if pa.types.is_dictionary(dtype):
        return _plain_dictionary(column, within)
    if is_list(dtype):
        return _plain_list(column, purpose)
    runs = pa.types.is_run_end_encoded(dtype)
    if (pa.types.is_nested(dtype) and not runs) or dtype == pa.month_day_nano_interval():
        raise TableError(f"{purpose}: expected {EXPECTED}, found {dtype}")
    return _without_views(column, within)


def _wide(column: pa.Array) -> pa.Array:
    """Return an array in types with 64-bit offsets, which can be joined and indexed; extensions lose their name."""
    dtype = column.type
    if isinstance(dtype, pa.BaseExtensionType):
        return _wide(_unwrapped(column))
    if pa.types.is_string(dtype):
        return column.cast(pa.large_string())
    if pa.types.is_binary(dtype):
        return column.cast(pa.large_binary())
    if pa.types.is_dictionary(dtype):
        return _wide(column.dictionary).take(column.indices)
    if is_list(dtype):
        return large_list(column, _wide(column.flatten()))
    if pa.types.is_struct(dtype):
        fields = [_wide(field) for field in column.flatten()]
        mask = column.is_null() if column.null_count else None
        return pa.StructArray.from_arrays(fields, [field.name for field in dtype], mask=mask)
    return _without_views(column, _wide)


def _without_views(column: pa.Array, step: Step) -> pa.Array:
    dtype = column.type
    if pa.types.is_string_view(dtype):
        return column.cast(pa.large_string())
    if pa.types.is_binary_view(dtype):
        return column.cast(pa.large_binary())
    if pa.types.is_run_end_encoded(dtype):
        # Arrow decodes run-end encoding for some types only
        ends = np.asarray(column.run_ends)
        runs = np.searchsorted(ends, column.offset + np.arange(len(column)), side="right")
        return step(_wide(column.values).take(pa.array(runs)))
    return column


def _plain_dictionary(column: pa.Array, within: Step) -> pa.Array:
    entries = column.dictionary
    kept = is_string(entries.type) or pa.types.is_integer(entries.type)
    if not kept or entries.null_count:
        return within(within(entries).take(column.indices))
    if pa.types.is_string(entries.type) or pa.types.is_string_view(entries.type):
        # the decoded array may hold more than 2 GB
        return pa.DictionaryArray.from_arrays(column.indices, entries.cast(pa.large_string()))
    return column


def _plain_list(column: pa.Array, purpose: str) -> pa.Array:
    field = column.type.value_field
    if field.metadata and NAME in field.metadata and not isinstance(field.type, pa.BaseExtensionType):
        _refuse_by_name(field.metadata[NAME].decode(errors="replace"), f"{purpose}, an item")
    views = is_view(column.type)
    if not views and _is_plain(field.type) and len(column.values) and not column.values.null_count:
        return column
    items = column.flatten()
    plain = _plain(items, f"{purpose}, an item")
    return column if plain is items and not views else large_list(column, plain)


def _is_plain(dtype: pa.DataType) -> bool:
    """Whether a type of items is plain."""
    numbers = pa.types.is_integer(dtype) or pa.types.is_floating(dtype) or pa.types.is_boolean(dtype)
    return bool(numbers or pa.types.is_string(dtype) or pa.types.is_large_string(dtype))


def large_list(column: pa.Array, items: pa.Array) -> pa.Array:
    """Return any kind of list as large lists of ``items``, the converted items of all rows in order.

    (Arrow's own cast of list views loses rows.)
    """
    ends = np.concatenate([[0], np.cumsum(filled(pc.list_value_length(column), 0), dtype=np.int64)])
    mask = column.is_null() if column.null_count else None
    return pa.LargeListArray.from_arrays(pa.array(ends), items, mask=mask)


def _numbers(column: pa.Array) -> pa.Array:
    """Return decimals as integers if all are whole and fit into 64 bits, otherwise as float64."""
    if column.type.scale <= 0:
        for integers in (pa.int64(), pa.uint64()):
            try:
                return column.cast(integers)
            except pa.ArrowInvalid:
                continue
    return as_type(column, pa.float64(), safe=False)


def _unwrapped(column: pa.Array) -> pa.Array:
    """Return the values of an extension type."""
    match column.type.extension_name:
        case "arrow.bool8":
            return pc.not_equal(column.storage, 0)
        case "arrow.uuid":
            return _uuids(column.storage)
    return column.storage


def _uuids(storage: pa.Array) -> pa.Array:
    """Return UUIDs of 16 bytes per row as texts of 36 characters."""
    # the bytes of a null row are undefined
    present = storage.drop_null()
    raw = np.frombuffer(b"".join(present.to_pylist()), dtype=np.uint8).reshape(-1, 16)
    digits = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
    written = digits[np.stack([raw >> 4, raw & 15], axis=2).reshape(-1, 32)]
    text = np.insert(written, (8, 12, 16, 20), ord("-"), axis=1)
    offsets = pa.py_buffer(np.arange(0, 36 * len(text) + 1, 36, dtype=np.int64))
    values = pa.LargeStringArray.from_buffers(len(text), offsets, pa.py_buffer(np.ascontiguousarray(text)))
    if not storage.null_count:
        return values
    missing = storage.is_null().to_numpy(zero_copy_only=False)
    return values.take(pa.array(np.cumsum(~missing) - 1, mask=missing))


def _refuse_by_name(name: str, purpose: str) -> None:
    if name in REFUSED:
        raise TableError(f"{purpose}: holds {REFUSED[name]}")


def is_string(dtype: pa.DataType) -> bool:
    """Whether a type is an Arrow string type."""
    return bool(pa.types.is_string(dtype) or pa.types.is_large_string(dtype) or pa.types.is_string_view(dtype))


def is_list(dtype: pa.DataType) -> bool:
    """Whether a type is an Arrow list type."""
    lists = pa.types.is_list(dtype) or pa.types.is_large_list(dtype) or pa.types.is_fixed_size_list(dtype)
    return bool(lists or is_view(dtype))


def is_view(dtype: pa.DataType) -> bool:
    """Whether a type is an Arrow list-view type."""
    return bool(pa.types.is_list_view(dtype) or pa.types.is_large_list_view(dtype))
