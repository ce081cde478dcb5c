"""Real rows to try a model with, and what they tell of a request: which columns its candidates share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa

from gatewise.data import column_names, stream_table
from gatewise.errors import TableError
from gatewise.http.columns import FeatureColumns

LOOKED_AT = 5_000
"""Rows that are looked at."""
REQUESTS, CANDIDATES = 10, 12
"""Most requests that are kept, and most candidates of each."""
PLAIN = (int, float, str, bool, type(None))


@dataclass(frozen=True)
class SampleRows:
    """Some requests of real rows.

    Attributes:
        requests: per request its rows, each with values by column as a request to the service holds them.
        context: the columns whose values the rows of a request share; None: the rows have no group to tell.
    """

    requests: Sequence[Sequence[dict[str, Any]]]
    context: Sequence[str] | None

    @classmethod
    def read(cls, path: Path, columns: FeatureColumns, group: str | None) -> SampleRows:
        """Read the first rows of a file.

        Args:
            path: a file with the columns that the model needs.
            columns: these columns.
            group: the column of requests or users, whose rows make one request where the file has it.

        Raises:
            TableError: the file cannot be read, has no rows, or lacks a column; names them all.
        """
        names = column_names(path)
        missing = [name for name in columns.required if name not in names]
        if missing:
            raise TableError(f"rows {str(path)!r}: no column {', '.join(map(repr, missing))}")
        wanted = [name for name in columns.names if name in names]
        beside = [group] if group is not None and group in names and group not in wanted else []
        table = _first_rows(stream_table(path, [*wanted, *beside], columns.encoder.column_types(), LOOKED_AT))
        if not table.num_rows:
            raise TableError(f"rows {str(path)!r}: has no rows")
        if group is None or group not in table.column_names:
            return cls([_plain(table.slice(0, CANDIDATES), wanted)], None)
        requests = list(_requests(table, group))
        shared = [name for name in wanted if all(_is_constant(rows, name) for rows in requests)]
        kept = [_plain(rows.slice(0, CANDIDATES), wanted) for rows in requests[:REQUESTS]]
        return cls(kept, shared if len(requests) > 1 else None)


def _first_rows(pieces: Iterator[pa.Table]) -> pa.Table:
    """Return the rows to look at; what comes after them is not read."""
    found = [next(pieces)]
    while sum(piece.num_rows for piece in found) < LOOKED_AT and (piece := next(pieces, None)) is not None:
        found.append(piece)
    return pa.concat_tables(found).slice(0, LOOKED_AT)


def _requests(table: pa.Table, group: str) -> Iterator[pa.Table]:
    """Yield the rows of every group of two rows or more."""
    ordered = table.sort_by(group)
    start = 0
    for _, rows in groupby(ordered[group].to_pylist()):
        count = sum(1 for _ in rows)
        if count > 1:
            yield ordered.slice(start, count)
        start += count


def _is_constant(rows: pa.Table, name: str) -> bool:
    values = rows[name].to_pylist()
    return all(value == values[0] for value in values)


def _plain(table: pa.Table, names: Sequence[str]) -> list[dict[str, Any]]:
    return [{name: _value(row[name]) for name in names} for row in table.to_pylist()]


def _value(value: Any) -> Any:
    """Return a value as JSON knows it; what JSON does not know is written as text."""
    if isinstance(value, list):
        return [_value(each) for each in value]
    if isinstance(value, float) and value != value:
        return None
    return value if isinstance(value, PLAIN) else str(value)
