"""Conversion of category columns to the declared type."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from gatewise.data.arrays import as_type
from gatewise.data.plain_types import is_list, is_string, large_list
from gatewise.data.values import as_keys
from gatewise.errors import TableError


def as_declared(column: pa.Array, dtype: str, purpose: str) -> pa.Array:
    """Return keys, or lists of keys, as ``string`` or ``integer``.

    An integer becomes its decimal text. Strings that are split later keep their separators.

    Args:
        column: a column of a plain type.
        dtype: the declared type.
        purpose: the reader of the column, for messages.

    Raises:
        TableError: a text is not an integer.
    """
    if is_list(column.type):
        items = column.flatten()
        declared = as_declared(items, dtype, f"{purpose}, an item")
        return column if declared is items else large_list(column, declared)
    if pa.types.is_dictionary(column.type):
        return as_declared(column.dictionary_decode(), dtype, purpose)
    if pa.types.is_null(column.type) or is_string(column.type) == (dtype == "string"):
        return column
    return _integers(column, purpose) if dtype == "integer" else _texts(column, purpose)


def _texts(column: pa.Array, purpose: str) -> pa.Array:
    # as a key, an unsigned 64-bit integer may appear as a negative one
    written = pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)
    return as_type(column if written else as_keys(column, purpose), pa.large_string())


def _integers(texts: pa.Array, purpose: str) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(texts)
    for dtype in (pa.int64(), pa.uint64()):
        try:
            return trimmed.cast(dtype)
        except pa.ArrowInvalid as error:
            reason = error
    raise TableError(f"{purpose}: expected integers as declared: {reason}") from None
