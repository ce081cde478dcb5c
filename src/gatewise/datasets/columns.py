"""Reading declared columns of one published file, CSV or Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gatewise.datasets.delimited import check_columns, parse
from gatewise.datasets.files import Files
from gatewise.errors import TableError


def read_columns(
    files: Files, member: PurePosixPath, columns: Mapping[str, pa.DataType], nullable: bool = False
) -> pa.Table:
    """Return a file as a table of exactly these columns.

    Whole numbers may be written with a point ("4.0"), as pandas writes them in columns with missing values.

    Args:
        files: The folder or archive.
        member: The file within it, ending in .csv or .parquet.
        columns: Name and type of each column.
        nullable: Whether values may be missing.

    Raises:
        TableError: The file is damaged, a column is missing, a value has another type, or a value is missing and
            ``nullable`` is false.
    """
    where = f"{files.path}: {member.name}"
    content = files.read(member)
    if member.suffix == ".csv":
        as_written = {name: pa.float64() if pa.types.is_integer(t) else t for name, t in columns.items()}
        table = parse(content, as_written, where, header=True, nulls=("",))
    else:
        table = _parquet(content, columns, where)
    cast = {name: cast_column(table[name], name, dtype, where) for name, dtype in columns.items()}
    gaps = [name for name, column in cast.items() if column.null_count]
    if gaps and not nullable:
        raise TableError(f"{where}: column {gaps[0]!r}: {cast[gaps[0]].null_count} values are missing")
    return pa.table(cast)


def null_where(column: pa.ChunkedArray, absent: Iterable[str]) -> pa.ChunkedArray:
    """Return a column with null in place of texts for unknown values, such as "?"."""
    return pc.if_else(pc.is_in(column, pa.array(absent)), pa.scalar(None, column.type), column)


def cast_column(column: pa.ChunkedArray, name: str, dtype: pa.DataType, where: str) -> pa.ChunkedArray:
    """Return a column as another type; a TableError names file, column and the value that does not fit."""
    try:
        return column.cast(dtype)
    except pa.ArrowException as error:
        problem = " ".join(str(error).split())
        raise TableError(f"{where}: column {name!r}: expected {dtype}: {problem}") from error


def _parquet(content: bytes, columns: Iterable[str], where: str) -> pa.Table:
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        check_columns(file.schema_arrow.names, columns, where)
        return file.read(list(columns))
    except pa.ArrowException as error:
        raise TableError(f"{where}: expected a Parquet file: {' '.join(str(error).split())}") from error
