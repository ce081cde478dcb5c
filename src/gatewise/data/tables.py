"""Tables in: anything with the Arrow PyCapsule interface, a dict of arrays, a list of dicts, a CSV or Parquet file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.data.csv_files import CsvFile
from gatewise.data.parquet_files import ParquetFile
from gatewise.data.reading import Types, first_line, unique_names
from gatewise.errors import TableError, did_you_mean, shown

CSV_SUFFIXES = (".csv", ".csv.gz")
TSV_SUFFIXES = (".tsv", ".tsv.gz")
PARQUET_SUFFIXES = (".parquet", ".pq")


def read_table(source: Any, columns: Iterable[str] | None = None, types: Types | None = None) -> pa.Table:
    """Return a source as an Arrow table.

    Args:
        source: pandas, polars, pyarrow, duckdb or any other object with the Arrow PyCapsule interface; a dict of
            equally long arrays; a list of dicts; a path to a CSV, TSV (also gzipped) or Parquet file.
        columns: of a file, read only those of these columns that it has; of anything else nothing is copied anyway.
        types: of a CSV file, the types that columns are known to have; others are inferred.

    Raises:
        TableError: the source cannot be read as a table; names the file or column and the reason.
    """
    if not isinstance(source, (str, Path)):
        return _in_memory(source)
    return _file_reader(Path(source)).read(columns, types or {})


def stream_table(
    source: Any, columns: Iterable[str] | None = None, types: Types | None = None, rows: int = 65_536
) -> Iterator[pa.Table]:
    """Yield a source piece by piece, files without holding them whole; at least one piece, if an empty one.

    Args:
        source: see :func:`read_table`.
        columns: see :func:`read_table`.
        types: see :func:`read_table`.
        rows: rows of a piece at most; a CSV comes in blocks of bytes instead.
    """
    if not isinstance(source, (str, Path)):
        table = _in_memory(source)
        for start in range(0, max(table.num_rows, 1), rows):
            yield table.slice(start, rows)
        return
    yield from _file_reader(Path(source)).stream(columns, types or {}, rows)


def column_names(source: Any) -> list[str]:
    """Return the names of a source's columns, of a file without reading its rows."""
    if isinstance(source, (str, Path)):
        return _file_reader(Path(source)).names()
    return list(_in_memory(source).column_names)


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


def _in_memory(source: Any) -> pa.Table:
    if isinstance(source, pa.RecordBatch):
        source = pa.Table.from_batches([source])
    if isinstance(source, pa.Table):
        return unique_names(source, "table")
    try:
        if hasattr(source, "__arrow_c_stream__"):
            return unique_names(pa.table(source), "table")
        if isinstance(source, Mapping):
            return _from_arrays(source)
        if isinstance(source, (list, tuple)) and all(isinstance(row, Mapping) for row in source):
            return _from_rows(source)
    except TableError:
        raise
    except (pa.ArrowException, ValueError, TypeError) as error:
        if "non-struct type" in str(error):
            raise TableError(f"table: expected a table, found a single column ({type(source).__name__})") from None
        raise TableError(f"table: cannot be read as Arrow: {first_line(error)}") from None
    hint = "; collect it first" if hasattr(source, "collect") else ""
    expected = "pandas, polars, pyarrow, duckdb, a dict of arrays or a path"
    raise TableError(f"table: expected {expected}, found {type(source).__name__}{hint}")


def _from_rows(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    # a row that lacks a key has a null there
    names = dict.fromkeys(name for row in rows for name in row)
    return _from_arrays({name: [row.get(name) for row in rows] for name in names})


def _from_arrays(arrays: Mapping[str, Any]) -> pa.Table:
    columns = {str(name): _column(str(name), values) for name, values in arrays.items()}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        (first, rows), (other, found) = (
            next(iter(lengths.items())),
            next((name, length) for name, length in lengths.items() if length != next(iter(lengths.values()))),
        )
        raise TableError(f"column {other!r} has {found} rows, column {first!r} has {rows}")
    return pa.table(columns)


def _column(name: str, values: Any) -> pa.Array | pa.ChunkedArray:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if not isinstance(values, (list, np.ndarray)) and _is_single(values):
        raise TableError(f"column {name!r}: expected an array or a list, found {type(values).__name__}")
    if hasattr(values, "__arrow_c_stream__") or hasattr(values, "__arrow_c_array__"):
        return pa.chunked_array(values) if hasattr(values, "__arrow_c_stream__") else pa.array(values)
    try:
        if hasattr(values, "__array__"):
            values = np.asarray(values)
            if values.ndim == 2:
                flat = pa.array(np.ascontiguousarray(values).reshape(-1))
                return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
        return pa.array(values)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        raise TableError(f"column {name!r}: {first_line(error)}") from None


def _is_single(values: Any) -> bool:
    return isinstance(values, (str, bytes, Mapping)) or np.isscalar(values) or values is None


def _near_file(path: Path) -> str:
    parent = path.parent
    return did_you_mean(path.name, [p.name for p in parent.iterdir()]) if parent.is_dir() else ""


def pick_column(table: pa.Table, name: str, purpose: str) -> pa.Array:
    """Return a column as one array.

    Args:
        table: where it is looked for.
        name: the column.
        purpose: who asks, such as ``feature 'age'``, for the message.

    Raises:
        TableError: there is no such column; suggests the nearest name.
    """
    try:
        column = table.column(name)
    except KeyError:
        hint = did_you_mean(name, table.column_names) or f" (columns: {shown(table.column_names)})"
        raise TableError(f"{purpose}: the table has no column {name!r}{hint}") from None
    if isinstance(column.type, pa.BaseExtensionType):
        column = column.cast(column.type.storage_type)
    if column.num_chunks == 1:
        return column.chunk(0)
    joined = column.combine_chunks()
    return joined if isinstance(joined, pa.Array) else pa.concat_arrays(joined.chunks)
