"""A table in memory: a frame, Arrow data, a dict of arrays, a list of dicts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from typing_extensions import override

from gatewise.data.in_memory import as_arrow, names_of
from gatewise.data.reading import Types
from gatewise.data.sources.digests import digest_of, digest_of_values
from gatewise.data.sources.source import Columns, Extent, Source
from gatewise.errors import TableError

VALUE_BYTES = 8
"""Assumed size of a value whose size is not known without looking at it."""


class InMemory(Source):
    """A table in memory; only the wanted columns are converted to Arrow."""

    in_memory = True

    def __init__(self, table: Any) -> None:
        self.table = table

    @override
    def names(self) -> list[str]:
        return names_of(self.table)

    @override
    def read(self, columns: Columns, types: Types) -> pa.Table:
        return as_arrow(self.table, None if columns is None else set(columns))

    @override
    def stream(self, columns: Columns, types: Types, rows: int) -> Iterator[pa.Table]:
        table = self.read(columns, types)
        for start in range(0, max(table.num_rows, 1), rows):
            yield table.slice(start, rows)

    @override
    def identity(self, columns: Columns = None) -> str:
        """Return a digest of the values; columns that Arrow cannot hold count by their names."""
        wanted = None if columns is None else list(columns)
        try:
            return digest_of_values([self.read(wanted, {})])
        except TableError:
            found = [name for name in self.names() if wanted is None or name in wanted]
            return digest_of([f"{name}={self._digest_of_column(name)}" for name in found])

    def _digest_of_column(self, name: str) -> str:
        try:
            return digest_of_values([self.read([name], {})])
        except TableError:
            return "unreadable"

    @override
    def extent(self, columns: Columns = None) -> Extent:
        names = self.names()
        wanted = names if columns is None else [name for name in names if name in set(columns)]
        return _extent(self.table, wanted)


def _extent(table: Any, names: Collection[str]) -> Extent:
    if isinstance(table, (pa.Table, pa.RecordBatch)):
        return Extent(table.num_rows, sum(table.column(name).nbytes for name in names))
    if isinstance(table, Mapping):
        columns = [values for name, values in table.items() if str(name) in names]
        rows = len(columns[0]) if columns and hasattr(columns[0], "__len__") else 0
        return Extent(rows, sum(_bytes(values) for values in columns))
    if isinstance(table, Sequence):
        return Extent(len(table), len(table) * len(names) * VALUE_BYTES)
    if hasattr(table, "iloc"):
        used = table.memory_usage(index=False)
        return Extent(len(table), sum(int(used[label]) for label in table.columns.unique() if str(label) in names))
    if hasattr(table, "estimated_size"):
        return Extent(len(table), int(table.select(list(names)).estimated_size()))
    return Extent(None, None)


def _bytes(values: Any) -> int:
    known = getattr(values, "nbytes", None)
    return int(known) if isinstance(known, int) else len(values) * VALUE_BYTES if hasattr(values, "__len__") else 0
