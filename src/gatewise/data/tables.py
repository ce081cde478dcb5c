"""Tables in: anything with the Arrow PyCapsule interface, a dict of arrays, a list of dicts, a CSV or Parquet file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from gatewise.errors import TableError, did_you_mean, shown

Types = Mapping[str, pa.DataType]
CSV_SUFFIXES = (".csv", ".csv.gz")
TSV_SUFFIXES = (".tsv", ".tsv.gz")
PARQUET_SUFFIXES = (".parquet", ".pq")
CSV_BLOCK_BYTES = 16 << 20


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
    if isinstance(source, (str, Path)):
        batches = list(stream_table(source, columns, types))
        return pa.concat_tables(batches)
    return _in_memory(source)


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
    path = Path(source)
    if path.is_dir() or not path.exists():
        found = "is a folder" if path.is_dir() else "does not exist"
        raise TableError(f"table {str(path)!r} {found}{'' if path.is_dir() else _near_file(path)}")
    name = path.name.lower()
    wanted = None if columns is None else list(columns)
    if name.endswith(PARQUET_SUFFIXES):
        yield from _parquet(path, wanted, rows)
    elif name.endswith(CSV_SUFFIXES + TSV_SUFFIXES):
        yield from _csv(path, wanted, dict(types or {}), "\t" if name.endswith(TSV_SUFFIXES) else ",")
    else:
        expected = ", ".join(PARQUET_SUFFIXES + CSV_SUFFIXES + TSV_SUFFIXES)
        raise TableError(f"table {str(path)!r}: expected a file ending in {expected}")


def column_names(source: Any) -> list[str]:
    """Return the names of a source's columns, of a file without reading its rows."""
    if isinstance(source, (str, Path)):
        return list(next(stream_table(source)).column_names)
    return list(_in_memory(source).column_names)


def _in_memory(source: Any) -> pa.Table:
    if isinstance(source, pa.RecordBatch):
        source = pa.Table.from_batches([source])
    if isinstance(source, pa.Table):
        return _unique_names(source, "table")
    try:
        if hasattr(source, "__arrow_c_stream__"):
            return _unique_names(pa.table(source), "table")
        if isinstance(source, Mapping):
            return _from_arrays(source)
        if isinstance(source, (list, tuple)) and all(isinstance(row, Mapping) for row in source):
            return _from_rows(source)
    except (pa.ArrowException, ValueError, TypeError) as error:
        if isinstance(error, TableError):
            raise
        raise TableError(f"table: cannot be read as Arrow: {_first_line(error)}") from None
    raise TableError(
        f"table: expected pandas, polars, pyarrow, duckdb, a dict of arrays or a path, found {type(source).__name__}"
    )


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
    if isinstance(values, (str, bytes, Mapping)):
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
    except (pa.ArrowException, ValueError, TypeError) as error:
        raise TableError(f"column {name!r}: {_first_line(error)}") from None


def _parquet(path: Path, columns: list[str] | None, rows: int) -> Iterator[pa.Table]:
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            _unique_names(schema, f"table {str(path)!r}")
            present = None if columns is None else [name for name in schema.names if name in set(columns)]
            names = schema.names if present is None else present
            empty = True
            for batch in file.iter_batches(batch_size=rows, columns=present):
                empty = False
                yield pa.Table.from_batches([batch])
            if empty:
                yield schema.empty_table().select(names)
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"table {str(path)!r} is no readable Parquet file: {_first_line(error)}") from None


def _csv(path: Path, columns: list[str] | None, types: dict[str, pa.DataType], delimiter: str) -> Iterator[pa.Table]:
    parse = pacsv.ParseOptions(delimiter=delimiter)
    read = pacsv.ReadOptions(block_size=CSV_BLOCK_BYTES)
    where = f"table {str(path)!r}"
    header: list[str] = []
    try:
        with pacsv.open_csv(path, read_options=read, parse_options=parse) as probe:
            header = probe.schema.names
            _unique_names(probe.schema, where)
        present = None if columns is None else [name for name in header if name in set(columns)]
        # an empty list would mean all columns
        convert = pacsv.ConvertOptions(
            column_types=types,
            include_columns=header[:1] if present == [] else present,
            strings_can_be_null=True,
        )
        with pacsv.open_csv(path, read_options=read, parse_options=parse, convert_options=convert) as reader:
            _all_text(reader.schema, where)
            empty = True
            for batch in reader:
                empty = False
                yield pa.Table.from_batches([batch])
            if empty:
                yield reader.schema.empty_table()
    except UnicodeDecodeError as error:
        raise TableError(f"{where}: its header is not UTF-8 text ({error.reason}); save it as UTF-8") from None
    except pa.ArrowInvalid as error:
        raise TableError(f"{where}: {_csv_problem(error, header)}") from None
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"{where} is no readable CSV file: {_first_line(error)}") from None


def _all_text(schema: pa.Schema, where: str) -> None:
    for field in schema:
        # what Arrow infers for bytes that are no UTF-8
        if pa.types.is_binary(field.type):
            raise TableError(f"{where}: column {field.name!r} is not UTF-8 text; save it as UTF-8")


def _csv_problem(error: Exception, header: list[str]) -> str:
    message = _first_line(error)
    if "Empty CSV file" in message:
        return "the file is empty, expected a header line"
    if message.startswith("In CSV column #"):
        number, message = message.removeprefix("In CSV column #").split(": ", 1)
        message = f"column {header[int(number)]!r}: {message}"
    return f"{message}; save it as UTF-8" if "UTF8" in message else message


def _unique_names(table: Any, where: str) -> Any:
    names = table.names if isinstance(table, pa.Schema) else table.column_names
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TableError(f"{where}: column {twice[0]!r} stands there twice")
    return table


def _near_file(path: Path) -> str:
    parent = path.parent
    return did_you_mean(path.name, [p.name for p in parent.iterdir()]) if parent.is_dir() else ""


def _first_line(error: Exception) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


def pick_column(table: pa.Table, name: str, purpose: str) -> pa.Array:
    """Return a column as one array.

    Args:
        table: where it is looked for.
        name: the column.
        purpose: who asks, such as ``feature 'age'``, for the message.

    Raises:
        TableError: there is no such column; suggests the nearest name.
    """
    if name not in table.column_names:
        hint = did_you_mean(name, table.column_names) or f" (columns: {shown(table.column_names)})"
        raise TableError(f"{purpose}: the table has no column {name!r}{hint}")
    column = table.column(name)
    if isinstance(column.type, pa.BaseExtensionType):
        column = column.cast(column.type.storage_type)
    joined = column.combine_chunks()
    return joined if isinstance(joined, pa.Array) else pa.concat_arrays(joined.chunks)
