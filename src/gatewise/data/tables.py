"""Reading of tables: the Arrow PyCapsule interface, dicts of arrays, lists of dicts, CSV and Parquet files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from gatewise.data.csv_files import CsvFile
from gatewise.data.in_memory import as_arrow, names_of, rereadable
from gatewise.data.parquet_files import ParquetFile
from gatewise.data.plain_types import plain_column
from gatewise.data.reading import Types
from gatewise.errors import TableError, did_you_mean, shown

CSV_SUFFIXES = (".csv", ".csv.gz")
TSV_SUFFIXES = (".tsv", ".tsv.gz")
PARQUET_SUFFIXES = (".parquet", ".pq")


def read_table(source: Any, columns: Iterable[str] | None = None, types: Types | None = None) -> pa.Table:
    """Return a source as an Arrow table.

    Args:
        source: pandas, polars, pyarrow, duckdb or any other object with the Arrow PyCapsule interface; a dict of
            equally long arrays; a list of dicts; a path to a CSV, TSV (also gzipped) or Parquet file.
        columns: read only these columns, as far as they exist; other columns may hold anything.
        types: known types of a CSV file's columns; other types are inferred.

    Raises:
        TableError: the source cannot be read as a table; names the file or column and the reason.
    """
    if not isinstance(source, (str, Path)):
        return as_arrow(source, None if columns is None else set(columns))
    return _file_reader(Path(source)).read(columns, types or {})


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
    return source if isinstance(source, (str, Path)) else rereadable(source)


def stream_table(
    source: Any, columns: Iterable[str] | None = None, types: Types | None = None, rows: int = 65_536
) -> Iterator[pa.Table]:
    """Yield a source in pieces, at least one, maybe empty; files are never held whole.

    Args:
        source: see :func:`read_table`.
        columns: see :func:`read_table`.
        types: see :func:`read_table`.
        rows: largest number of rows per piece; a CSV file is cut into blocks of bytes instead.
    """
    if not isinstance(source, (str, Path)):
        table = as_arrow(source, None if columns is None else set(columns))
        for start in range(0, max(table.num_rows, 1), rows):
            yield table.slice(start, rows)
        return
    yield from _file_reader(Path(source)).stream(columns, types or {}, rows)


def column_names(source: Any) -> list[str]:
    """Return the names of a source's columns; the rows of a file are not read."""
    if isinstance(source, (str, Path)):
        return _file_reader(Path(source)).names()
    return names_of(source)


def _file_reader(path: Path) -> CsvFile | ParquetFile:
    if path.is_dir() or not path.exists():
        found = "is a folder" if path.is_dir() else f"does not exist{_near_file(path)}"
        raise TableError(f"table {str(path)!r} {found}")
    name = path.name.lower()
    if name.endswith(PARQUET_SUFFIXES):
        return ParquetFile(path)
    if name.endswith(CSV_SUFFIXES + TSV_SUFFIXES):
        return CsvFile(path, "\t" if name.endswith(TSV_SUFFIXES) else ",")
    expected = ", ".join(PARQUET_SUFFIXES + CSV_SUFFIXES + TSV_SUFFIXES)
    raise TableError(f"table {str(path)!r}: expected a file ending in {expected}")


def _near_file(path: Path) -> str:
    parent = path.parent
    return did_you_mean(path.name, [p.name for p in parent.iterdir()]) if parent.is_dir() else ""


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
