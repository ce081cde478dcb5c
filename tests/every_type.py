"""A column of every type that Arrow has, and of the ways in which libraries hand some of them over."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa

ROWS = 24
WHOLE = [None if row % 7 == 3 else row % 3 for row in range(ROWS)]
BITS = [None if row % 7 == 3 else row % 2 for row in range(ROWS)]
TEXTS = [None if value is None else f"v{value}" for value in WHOLE]
MOMENTS = [None if value is None else datetime.datetime(2024, 1, 1 + value, value) for value in WHOLE]

SIGNED = [pa.int8(), pa.int16(), pa.int32(), pa.int64()]
UNSIGNED = [pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
DECIMALS = [pa.decimal32(9, 2), pa.decimal64(18, 0), pa.decimal128(38, 0), pa.decimal128(20, 3), pa.decimal256(60, 0)]
TEXT = [pa.string(), pa.large_string(), pa.string_view()]
BYTES = [pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(2)]
DAYS = [pa.date32(), pa.date64()]
TIMES = [pa.timestamp("s"), pa.timestamp("ns", "Europe/Berlin")]
LISTS = [pa.list_, pa.large_list, pa.list_view, pa.large_list_view, lambda item: pa.list_(item, 2)]


def plain_columns() -> Iterator[tuple[str, pa.Array]]:
    """Yield columns of types without parts, by name."""
    for dtype in [*SIGNED, *UNSIGNED, pa.float32(), pa.float64()]:
        yield str(dtype), pa.array(WHOLE, dtype)
    for dtype in DECIMALS:
        yield str(dtype), pa.array([None if v is None else Decimal(v) for v in WHOLE]).cast(dtype)
    yield "float16", pa.array(np.array([v or 0 for v in WHOLE], np.float16))
    yield "bool", pa.array([None if v is None else bool(v) for v in BITS])
    yield "bits", pa.array(BITS)
    for dtype in TEXT:
        yield str(dtype), pa.array(TEXTS, dtype)
    for dtype in BYTES:
        yield str(dtype), pa.array([None if v is None else v.encode() for v in TEXTS], dtype)
    for dtype in DAYS:
        yield str(dtype), pa.array([None if v is None else v.date() for v in MOMENTS], dtype)
    for dtype in TIMES:
        yield str(dtype), pa.array(MOMENTS, pa.timestamp("s")).cast(dtype)
    yield "time32", pa.array([None if v is None else v.time() for v in MOMENTS], pa.time32("s"))
    yield "time64", pa.array([None if v is None else v.time() for v in MOMENTS], pa.time64("us"))
    yield "duration", pa.array(WHOLE, pa.duration("ms"))
    yield "interval", pa.array([None if v is None else (v, v, v) for v in WHOLE], pa.month_day_nano_interval())
    yield "null", pa.nulls(ROWS)
    yield "above 63 bits", pa.array([None if v is None else 2**63 + v for v in WHOLE], pa.uint64())
    yield "whole decimals above 63 bits", pa.array([Decimal(2**63 + (v or 0)) for v in WHOLE], pa.decimal128(38, 0))
    yield "whole decimals above 64 bits", pa.array([Decimal(2**70 + (v or 0)) for v in WHOLE], pa.decimal128(38, 0))


def extension_columns() -> Iterator[tuple[str, pa.Array]]:
    """Yield columns whose storage does not say what they mean."""
    yield "bool8", pa.ExtensionArray.from_storage(pa.bool8(), pa.array([v and 2 for v in BITS], pa.int8()))
    uuids = [None if v is None else bytes([v]) * 16 for v in WHOLE]
    yield "uuid", pa.ExtensionArray.from_storage(pa.uuid(), pa.array(uuids, pa.binary(16)))
    yield "json", pa.ExtensionArray.from_storage(pa.json_(), pa.array(TEXTS))
    opaque = pa.opaque(pa.binary(), "hugest", "somebody")
    yield "opaque", pa.ExtensionArray.from_storage(opaque, pa.array([b"a"] * ROWS))
    tensor = pa.fixed_shape_tensor(pa.float32(), (2,))
    yield "tensor", pa.ExtensionArray.from_storage(tensor, pa.array([[1.0, 2.0]] * ROWS, pa.list_(pa.float32(), 2)))
    frame = pd.DataFrame({"period": pd.period_range("2024-01", periods=ROWS, freq="M")})
    frame["interval"] = pd.interval_range(0, ROWS)
    table = pa.Table.from_pandas(frame)
    for name in table.column_names:
        yield f"pandas {name}", table[name].chunk(0)


def nested_columns() -> Iterator[tuple[str, pa.Array]]:
    """Yield lists, dictionaries, runs, structures, maps and unions of the others."""
    for name, items in [*plain_columns(), *extension_columns()]:
        for place, make in enumerate(LISTS if name in ("int64", "string", "string_view") else LISTS[:1]):
            yield f"list {place} of {name}", listed(items, make)
        if not name.startswith(("null", "interval")) or name == "null":
            yield f"dictionary of {name}", pa.DictionaryArray.from_arrays(pa.array(range(ROWS)), items)
        yield f"runs of {name}", pa.RunEndEncodedArray.from_arrays(pa.array(range(1, ROWS + 1), pa.int32()), items)
        yield f"structure of {name}", pa.StructArray.from_arrays([items], ["a"])
    yield "map", pa.array([[("a", 1)]] * ROWS, pa.map_(pa.string(), pa.int64()))
    kinds, values = pa.array([0] * ROWS, pa.int8()), [pa.array(range(ROWS))]
    yield "sparse union", pa.UnionArray.from_sparse(kinds, values)
    yield "dense union", pa.UnionArray.from_dense(kinds, pa.array(range(ROWS), pa.int32()), values)


def listed(items: pa.Array, make) -> pa.Array:
    """Return a list of two items a row, null where the first item is."""
    twice = pa.concat_arrays([items.slice(row, 1) for row in range(ROWS) for _ in range(2)])
    dtype = make(items.type)
    if pa.types.is_fixed_size_list(dtype):
        return pa.FixedSizeListArray.from_arrays(twice, 2)
    offsets = pa.array(range(0, 2 * ROWS + 1, 2))
    views = pa.types.is_list_view(dtype) or pa.types.is_large_list_view(dtype)
    if not views:
        kind = pa.ListArray if pa.types.is_list(dtype) else pa.LargeListArray
        return kind.from_arrays(offsets.cast(kind_offsets(dtype)), twice)
    kind = pa.ListViewArray if pa.types.is_list_view(dtype) else pa.LargeListViewArray
    sizes = pa.array([2] * ROWS).cast(kind_offsets(dtype))
    return kind.from_arrays(offsets[:-1].cast(kind_offsets(dtype)), sizes, twice)


def kind_offsets(dtype: pa.DataType) -> pa.DataType:
    return pa.int32() if pa.types.is_list(dtype) or pa.types.is_list_view(dtype) else pa.int64()


COLUMNS = dict([*plain_columns(), *extension_columns(), *nested_columns()])
