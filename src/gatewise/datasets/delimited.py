"""Delimited text to Arrow tables of declared columns, with one-line errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pyarrow as pa
from pyarrow import csv

from gatewise.errors import TableError, did_you_mean


def parse(
    content: bytes,
    columns: Mapping[str, pa.DataType],
    where: str,
    delimiter: str = ",",
    header: bool = False,
    nulls: Iterable[str] = (),
) -> pa.Table:
    r"""Return UTF-8 text as a table of exactly these columns.

    Args:
        content: The text.
        columns: Name and type of each column: with a header the columns to take, otherwise all columns in order.
        where: Names the file in errors.
        delimiter: The single character between values.
        header: Whether the first line names the columns. Only then may values be quoted, as in CSV.
        nulls: Texts that mean a missing value; by default no value is null.

    Raises:
        TableError: A column is missing, a line has another number of values, or a value does not fit its column's type.

    Example:
        >>> parse(b"id,name,extra\n1,'a',x\n", {"id": pa.int64()}, "names.csv", header=True).to_pydict()
        {'id': [1]}
    """
    if header:
        check_columns(_names(content), columns, where)
    try:
        return csv.read_csv(
            pa.BufferReader(content),
            read_options=csv.ReadOptions(column_names=None if header else list(columns)),
            parse_options=csv.ParseOptions(delimiter=delimiter, quote_char='"' if header else False),
            convert_options=csv.ConvertOptions(
                column_types=dict(columns),
                include_columns=list(columns),
                null_values=list(nulls),
                strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        problem = " ".join(str(error).split())
        raise TableError(f"{where}: expected columns {', '.join(columns)}: {problem}") from error


def check_columns(names: list[str], columns: Iterable[str], where: str) -> None:
    """Raise a TableError if a column is missing; names the file, the first missing column and the nearest name."""
    for column in columns:
        if column not in names:
            found = ", ".join(names)[:200]
            raise TableError(f"{where}: no column {column!r}, found {found!r}{did_you_mean(column, names)}")


def _names(content: bytes) -> list[str]:
    first_line = content[:10_000].removeprefix(b"\xef\xbb\xbf").splitlines()[:1]
    return [name.strip('"') for line in first_line for name in line.decode(errors="replace").split(",")]
