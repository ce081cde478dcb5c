"""Tables in memory: frames, Arrow data, dicts of arrays, lists of dicts. Only the wanted columns are converted."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.data.reading import first_line, unique_names
from gatewise.errors import TableError

Wanted = Collection[str] | None
"""Names of the columns to convert; None: all."""
UNREADABLE = (pa.ArrowException, ValueError, TypeError, OverflowError)
"""Errors that Arrow raises for values that a column cannot hold."""
BEYOND = (pa.uint64(), pa.list_(pa.uint64()), pa.list_(pa.list_(pa.uint64())))
"""Types for integers that do not fit into int64, Arrow's default."""


def as_arrow(source: Any, wanted: Wanted = None) -> pa.Table:
    """Return a source as an Arrow table with all columns, or with those of ``wanted`` that exist.

    Raises:
        TableError: the source is not a table, or a column holds values that Arrow cannot hold; names the column.
    """
    if isinstance(source, pa.RecordBatch):
        source = pa.Table.from_batches([source])
    if isinstance(source, pa.Table):
        return _chosen(source, wanted)
    if isinstance(source, Mapping):
        return _from_arrays(source, wanted)
    if _is_rows(source):
        return _from_rows(source, wanted)
    if is_frame(source):
        return _from_frame(source, wanted)
    return _chosen(_exported(source), wanted)


def rereadable(source: Any) -> Any:
    """Return a source that can be read repeatedly: the source itself, or the rows of a stream as an Arrow table."""
    known = isinstance(source, (pa.Table, pa.RecordBatch, Mapping)) or _is_rows(source) or is_frame(source)
    return source if known else _exported(source)


def names_of(source: Any) -> list[str]:
    """Return the names of all columns; only a stream is converted."""
    if isinstance(source, Mapping):
        return [str(name) for name in source]
    if _is_rows(source):
        return [str(name) for name in dict.fromkeys(chain.from_iterable(source))]
    if is_frame(source):
        return [str(label) for label in source.columns] + list(_levels(source))
    return list(
        source.schema.names if isinstance(source, (pa.Table, pa.RecordBatch)) else _exported(source).schema.names
    )


def column_of_values(name: str, values: Any) -> pa.Array | pa.ChunkedArray:
    """Return an array or list as a column.

    Integers from $2^{63}$ on are uint64, or float64 if 64 bits do not hold all; values under a NumPy mask are null.

    Raises:
        TableError: a column cannot hold the values; names the column.
    """
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if not isinstance(values, (list, np.ndarray)) and _is_single(values):
        raise TableError(f"column {name!r}: expected an array or a list, found {type(values).__name__}")
    try:
        return _converted(values)
    except UNREADABLE as error:
        raise TableError(f"column {name!r}: {first_line(error)}") from None


def _is_rows(source: Any) -> bool:
    return isinstance(source, (list, tuple)) and all(isinstance(row, Mapping) for row in source)


def is_frame(source: Any) -> bool:
    """Whether a source is a pandas or polars frame."""
    return (hasattr(source, "iloc") and hasattr(source, "columns")) or hasattr(source, "get_columns")


def _is_single(values: Any) -> bool:
    return isinstance(values, (str, bytes, Mapping)) or np.isscalar(values) or values is None


def _chosen(table: pa.Table, wanted: Wanted) -> pa.Table:
    names = table.column_names
    places = [place for place, name in enumerate(names) if wanted is None or name in wanted]
    return unique_names(table if len(places) == len(names) else table.select(places), "table")


def _exported(source: Any) -> pa.Table:
    if not hasattr(source, "__arrow_c_stream__"):
        hint = "; collect it first" if hasattr(source, "collect") else ""
        expected = "pandas, polars, pyarrow, duckdb, a dict of arrays or a path"
        raise TableError(f"table: expected {expected}, found {type(source).__name__}{hint}")
    try:
        return pa.table(source)
    except UNREADABLE as error:
        if "non-struct type" in str(error):
            raise TableError(f"table: expected a table, found a single column ({type(source).__name__})") from None
        raise TableError(f"table: cannot be read as Arrow: {first_line(error)}") from None


def _from_rows(rows: Sequence[Mapping[str, Any]], wanted: Wanted) -> pa.Table:
    # a missing key of a row is a null
    names = [name for name in dict.fromkeys(chain.from_iterable(rows)) if wanted is None or str(name) in wanted]
    if not names:
        return _rows_alone(len(rows))
    return _from_arrays({name: [row.get(name) for row in rows] for name in names}, None)


def _from_arrays(arrays: Mapping[str, Any], wanted: Wanted) -> pa.Table:
    chosen = {str(name): values for name, values in arrays.items() if wanted is None or str(name) in wanted}
    if not chosen and arrays:
        some = next(iter(arrays.values()))
        return _rows_alone(len(some) if hasattr(some, "__len__") else 0)
    columns = {name: column_of_values(name, values) for name, values in chosen.items()}
    lengths = {name: len(column) for name, column in columns.items()}
    first, rows = next(iter(lengths.items()), ("", 0))
    for other, found in lengths.items():
        if found != rows:
            raise TableError(f"column {other!r} has {found} rows, column {first!r} has {rows}")
    return pa.table(columns)


def _rows_alone(rows: int) -> pa.Table:
    """Return a table without columns."""
    return pa.table({"": pa.nulls(rows)}).select([])


def _levels(frame: Any) -> dict[str, Any]:
    """Return the names of the named levels of a frame's index, which Arrow converts to columns."""
    names = frame.index.names if hasattr(frame, "iloc") else []
    return {str(name): name for name in names if name is not None}


def _from_frame(frame: Any, wanted: Wanted) -> pa.Table:
    labels = [label for label in frame.columns if wanted is None or str(label) in wanted]
    levels = [level for name, level in _levels(frame).items() if wanted is None or name in wanted]
    twice = next((str(label) for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise TableError(f"table: column {twice!r} stands there twice")
    if not labels and not levels:
        return _rows_alone(len(frame))
    try:
        return unique_names(_frame_as_it_is(frame, labels, bool(levels), wanted), "table")
    except UNREADABLE:
        # column by column, so that an error can name the column, and other types than Arrow's guess can be tried
        columns = {str(label): column_of_values(str(label), frame[label]) for label in labels}
        index = {str(level): column_of_values(str(level), frame.index.get_level_values(level)) for level in levels}
        return pa.table(columns | index)


def _frame_as_it_is(frame: Any, labels: list[Any], index: bool, wanted: Wanted) -> pa.Table:
    if not hasattr(frame, "iloc"):
        return pa.table(frame if len(labels) == len(frame.columns) else frame.select(labels))
    if not frame.columns.is_unique:
        frame = frame[labels]
    # selecting with pandas would copy the columns
    table = pa.Table.from_pandas(frame, columns=labels, preserve_index=index)
    return _chosen(table, None if wanted is None else wanted)


def _converted(values: Any) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, np.ma.MaskedArray):
        return _from_numpy(np.ma.getdata(values), np.ma.getmaskarray(values))
    exported = _from_exporter(values)
    if exported is not None:
        return exported
    if type(values).__module__.partition(".")[0] == "pandas":
        return _from_pandas(values)
    if hasattr(values, "to_list"):
        return _guessed(values.to_list())
    if hasattr(values, "__array__"):
        return _from_numpy(np.asarray(values))
    if isinstance(values, (list, tuple)) and any(isinstance(row, np.ma.MaskedArray) for row in values):
        values = [row.tolist() if isinstance(row, np.ma.MaskedArray) else row for row in values]
    return _guessed(values)


def _from_pandas(values: Any) -> pa.Array:
    """Return a pandas series, index or array as Arrow; NaN is null."""
    try:
        return pa.array(values, from_pandas=True)
    except UNREADABLE:
        return _guessed(np.asarray(values), from_pandas=True)


def _from_exporter(values: Any) -> pa.Array | pa.ChunkedArray | None:
    """Return the Arrow export of an object, or None if it has no export or the export fails."""
    try:
        if hasattr(values, "__arrow_c_stream__"):
            return pa.chunked_array(values)
        return pa.array(values) if hasattr(values, "__arrow_c_array__") else None
    except UNREADABLE:
        return None


def _from_numpy(values: np.ndarray, hidden: np.ndarray | None = None) -> pa.Array:
    """Return an array ``[row]``, or lists from ``[row, item]``; hidden values are null, as are lists with only such."""
    if values.ndim != 2:
        return _guessed(values, mask=hidden)
    flat = np.ascontiguousarray(values).reshape(-1)
    items = _guessed(flat, mask=None if hidden is None else hidden.reshape(-1))
    rows = None if hidden is None else pa.array(hidden.all(axis=1))
    return pa.FixedSizeListArray.from_arrays(items, values.shape[1], mask=rows)


def _guessed(values: Any, **options: Any) -> pa.Array:
    """Return values in the type that Arrow infers, or in a type that Arrow does not try."""
    try:
        return pa.array(values, **options)
    except UNREADABLE as error:
        if not isinstance(error, OverflowError) and "too large" not in str(error):
            # NaN, NaT or NA among values of another type means a missing value
            return _or_raise(error, values, **options | {"from_pandas": True})
        for dtype in BEYOND:
            try:
                return pa.array(values, dtype, **options)
            except UNREADABLE:
                continue
        # float() refuses values that are not numbers
        return pa.array([None if value is None else float(value) for value in values], **options)


def _or_raise(error: Exception, values: Any, **options: Any) -> pa.Array:
    try:
        return pa.array(values, **options)
    except UNREADABLE:
        raise error from None
