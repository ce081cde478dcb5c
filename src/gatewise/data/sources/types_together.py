"""One type for a column that files of one folder write in several."""

from __future__ import annotations

import pyarrow as pa

from gatewise.data.plain_types import is_string


def together(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """Return a type that holds the values of two types; None if there is none.

    Integers and floats become float64, which whoever casts must check; dictionaries become what they stand for, unless
    both are dictionaries of the same values.
    """
    if one == other:
        return one
    if pa.types.is_dictionary(one) or pa.types.is_dictionary(other):
        return together(_values(one), _values(other))
    if is_string(one) and is_string(other):
        return pa.large_string()
    if pa.types.is_uint64(one) != pa.types.is_uint64(other) and pa.types.is_integer(one) and pa.types.is_integer(other):
        # Arrow takes int64 for both, which does not hold the largest ids; a cast that overflows is an error
        return pa.int64() if pa.types.is_signed_integer(one) or pa.types.is_signed_integer(other) else pa.uint64()
    if _is_list(one) and _is_list(other):
        items = together(one.value_type, other.value_type)
        return None if items is None else pa.large_list(items)
    if pa.types.is_floating(one) != pa.types.is_floating(other) and _is_number(one) and _is_number(other):
        return pa.float64()
    try:
        fields = [pa.schema([("", each)]) for each in (one, other)]
        return pa.unify_schemas(fields, promote_options="permissive").field(0).type
    except pa.ArrowException:
        return None


def _values(dtype: pa.DataType) -> pa.DataType:
    return dtype.value_type if pa.types.is_dictionary(dtype) else dtype


def _is_list(dtype: pa.DataType) -> bool:
    return bool(pa.types.is_list(dtype) or pa.types.is_large_list(dtype) or pa.types.is_fixed_size_list(dtype))


def _is_number(dtype: pa.DataType) -> bool:
    return bool(pa.types.is_integer(dtype) or pa.types.is_floating(dtype))
