"""Reading of tables, whatever they come from: a thin face over :mod:`gatewise.data.sources`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from gatewise.data.in_memory import rereadable
from gatewise.data.plain_types import plain_column
from gatewise.data.reading import Types
from gatewise.data.sources import Extent, Query, is_named, source_of
from gatewise.data.sources.memory import InMemory
from gatewise.data.sources.streams import ArrowStream
from gatewise.declare import is_uri, uri_of, without_secrets
from gatewise.errors import TableError, did_you_mean, shown


def read_table(source: Any, columns: Iterable[str] | None = None, types: Types | None = None) -> pa.Table:
    """Return a source as an Arrow table.

    Args:
        source: pandas, polars (also a LazyFrame), pyarrow (also a data set), duckdb or any other object with the Arrow
            PyCapsule interface; a dict of equally long arrays; a list of dicts; a path to a CSV, TSV (also gzipped) or
            Parquet file, to a folder of them, a glob, an address such as ``s3://bucket/logs``, a list of these; a query
            (:func:`gatewise.sql`).
        columns: read only these columns, as far as they exist; other columns may hold anything.
        types: known types of a CSV file's columns; other types are inferred.

    Raises:
        TableError: the source cannot be read as a table; names the file or column and the reason.
    """
    return source_of(source).read(columns, types or {})


def read_needed(
    source: Any, columns: Iterable[str], types: Types | None = None, spared: Collection[str] = ()
) -> pa.Table:
    """Return the needed columns of a source, as far as they exist.

    If a column that is not in ``spared`` is missing, all other columns of the source are added as nulls, so that the
    error message of the reader can suggest the nearest of all names.

    Raises:
        TableError: see :func:`read_table`.
    """
    source, columns = readable(source), list(columns)
    table = read_table(source, columns, types)
    if not set(columns) - set(spared) <= set(table.column_names):
        for name in column_names(source):
            if name not in table.column_names:
                table = table.append_column(name, pa.nulls(table.num_rows))
    return table


def readable(source: Any) -> Any:
    """Return a source that can be read repeatedly: the source itself, or a stream as an Arrow table."""
    found = source_of(source)
    match found:
        case InMemory():
            return rereadable(found.table)
        case ArrowStream():
            return found.read(None, {})
        case Query():
            # what runs a query keeps its rows for the next pass
            return found
    return source


def stream_table(
    source: Any, columns: Iterable[str] | None = None, types: Types | None = None, rows: int = 65_536
) -> Iterator[pa.Table]:
    """Yield a source in pieces, at least one, maybe empty; what is not in memory is never held whole.

    Args:
        source: see :func:`read_table`.
        columns: see :func:`read_table`.
        types: see :func:`read_table`.
        rows: largest number of rows per piece; a CSV file is cut into blocks of bytes instead.
    """
    yield from source_of(source).stream(columns, types or {}, rows)


def column_names(source: Any) -> list[str]:
    """Return the names of a source's columns; the rows of a file are not read."""
    return source_of(source).names()


def name_of(source: Any) -> str:
    """Return a short name for titles: that of the file, folder or query, without passwords; else ``table``."""
    if isinstance(source, (list, tuple)) and source and is_named(source):
        more = len(source) - 1
        return name_of(source[0]) + (f" and {more} more" if more else "")
    if isinstance(source, (str, Path)):
        path = without_secrets(uri_of(source)).partition("?")[0] if is_uri(source) else str(source)
        return path.rstrip("/").rpartition("/")[2] or path
    return source_of(source).shown if is_named(source) else "table"


def identity_of(source: Any, columns: Iterable[str] | None = None) -> str:
    """Return a digest that changes when the data do.

    Of files it is made of paths, sizes, times of change and ETags, which are known without reading; of tables in
    memory, of the values.

    Args:
        source: see :func:`read_table`; it must be readable repeatedly, see :func:`readable`.
        columns: only these columns matter; of files all do.

    Raises:
        TableError: see :func:`read_table`.
    """
    return source_of(source).identity(columns)


def extent_of(source: Any, columns: Iterable[str] | None = None) -> Extent:
    """Return the number of rows and bytes of a source, as far as they are known without reading rows.

    Args:
        source: see :func:`read_table`.
        columns: only these columns count, where the source tells columns apart.

    Raises:
        TableError: see :func:`read_table`.
    """
    return source_of(source).extent(columns)


def pick_column(table: pa.Table, name: str, purpose: str) -> pa.Array:
    """Return a column as one array of a plain type, see :mod:`gatewise.data.plain_types`.

    Args:
        table: the table.
        name: the column's name.
        purpose: the reader of the column, such as ``feature 'age'``, for the message.

    Raises:
        TableError: the column is missing (suggests the nearest name), or its type cannot be read.
    """
    return plain_column(find_column(table, name, purpose), table.schema.field(name), purpose)


def find_column(table: pa.Table, name: str, purpose: str) -> pa.ChunkedArray:
    """Return a column in its own type, see :func:`pick_column`."""
    try:
        return table.column(name)
    except KeyError:
        hint = did_you_mean(name, table.column_names) or f" (columns: {shown(table.column_names)})"
        raise TableError(f"{purpose}: the table has no column {name!r}{hint}") from None
