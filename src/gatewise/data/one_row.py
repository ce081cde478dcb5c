"""One row to explain, and other rows to compare it with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.data.in_memory import column_of_values
from gatewise.data.reading import Types, first_line
from gatewise.data.tables import column_names, pick_column, read_table, readable
from gatewise.errors import TableError, did_you_mean, shown


def row_and_others(
    source: Any,
    row: int | Mapping[str, Any],
    needed: Sequence[str],
    *,
    known: Collection[str],
    spared: Collection[str] = (),
    types: Types | None = None,
    others: int = 200,
    seed: int = 0,
) -> pa.Table:
    """Return a table with the requested row first, followed by other rows of the source, drawn at random.

    Args:
        source: any table; or None, if ``row`` has values and no other rows are needed.
        row: number of the row, counted from 0, or its values by column.
        needed: the columns to read.
        known: further columns for which ``row`` may have values; they are not read.
        spared: needed columns that may be absent.
        types: types of a text file's columns.
        others: largest number of other rows.
        seed: seed of the draw.

    Raises:
        TableError: unknown row or column, or a value is missing or does not fit its column; names it.
    """
    if source is None:
        if not isinstance(row, Mapping):
            raise TableError(f"row {row}: expected a table to take it from, found none")
        return _given(row, needed, known, spared, None)
    source = readable(source)
    present = column_names(source)
    wanted = [name for name in needed if name in present or name not in spared]
    for name in wanted:
        if name not in present:
            hint = did_you_mean(name, present) or f" (columns: {shown(present)})"
            raise TableError(f"the table has no column {name!r}{hint}")
    read = read_table(source, wanted, types)
    table = pa.table({name: pick_column(read, name, f"column {name!r}") for name in wanted})
    if isinstance(row, Mapping):
        drawn = np.random.default_rng(seed).permutation(table.num_rows)[:others]
        rest = _decoded(table.take(drawn))
        first = _given(row, wanted, {*known, *needed}, spared, rest.schema)
        # a column without values in the rest gets the type of the given value
        return pa.concat_tables([first, rest], promote_options="default")
    if not 0 <= row < table.num_rows:
        expected = f"a number from 0 to {table.num_rows - 1}" if table.num_rows else "a table with rows"
        raise TableError(f"row {row}: expected {expected}, found a table of {table.num_rows:,} rows")
    drawn = np.random.default_rng(seed).permutation(table.num_rows - 1)[:others]
    # the row itself is not among the others
    return table.take(np.concatenate([[row], drawn + (drawn >= row)]))


def _given(
    values: Mapping[str, Any],
    needed: Sequence[str],
    known: Collection[str],
    spared: Collection[str],
    schema: pa.Schema | None,
) -> pa.Table:
    """Return given values as a table of one row, in the types of a schema if given."""
    for name in values:
        if name not in known and name not in needed:
            raise TableError(f"row: no column {name!r} is read{did_you_mean(name, needed)} (columns: {shown(needed)})")
    columns = {}
    for name in needed:
        if name in values:
            columns[name] = _value(name, values[name], None if schema is None else schema.field(name).type)
        elif name not in spared:
            raise TableError(f"row: expected a value for column {name!r}, found none; null says that it is missing")
        elif schema is not None:
            columns[name] = pa.nulls(1, schema.field(name).type)
    return pa.table(columns)


def _decoded(table: pa.Table) -> pa.Table:
    """Return a table without dictionary types, which given values could not join."""
    columns = {
        name: column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        for name, column in zip(table.column_names, table.columns, strict=True)
    }
    return pa.table(columns)


def _value(name: str, value: Any, dtype: pa.DataType | None) -> pa.Array:
    try:
        found = column_of_values(name, [value])
        return found if dtype is None or pa.types.is_null(dtype) else found.cast(dtype)
    except (pa.ArrowException, TypeError, ValueError, TableError) as error:
        expected = "a value that a table can hold" if dtype is None else f"a value of type {dtype}"
        raise TableError(f"row: column {name!r}: expected {expected}, found {value!r} ({first_line(error)})") from None
