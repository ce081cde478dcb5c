"""Objects that hand their rows over as a stream of Arrow, such as readers and relations of duckdb."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from typing_extensions import override

from gatewise.data.in_memory import UNREADABLE, as_arrow, names_of
from gatewise.data.pieces import regrouped
from gatewise.data.reading import Types, first_line, unique_names
from gatewise.data.sources.source import Columns, Source
from gatewise.errors import TableError

_READ: weakref.WeakSet[pa.RecordBatchReader] = weakref.WeakSet()
"""Readers that were read; another pass would find no rows, and no error."""


class ArrowStream(Source):
    """An object with ``__arrow_c_stream__`` whose rows need not be in memory.

    A reader gives its rows once: a second pass is an error. :func:`gatewise.data.readable` collects it for functions
    that read twice.
    """

    def __init__(self, stream: Any) -> None:
        self.exporter = stream

    @override
    def names(self) -> list[str]:
        known = self.exporter
        if isinstance(known, pa.RecordBatchReader):
            return list(known.schema.names)
        columns = getattr(known, "columns", None)
        return list(columns) if isinstance(columns, list) else names_of(known)

    @override
    def read(self, columns: Columns, types: Types) -> pa.Table:
        self._once()
        return as_arrow(self.exporter, None if columns is None else set(columns))

    @override
    def stream(self, columns: Columns, types: Types, rows: int) -> Iterator[pa.Table]:
        self._once()
        yield from regrouped(self._pieces(columns), rows, some=True)

    def _pieces(self, columns: Columns) -> Iterator[pa.Table]:
        try:
            reader = pa.RecordBatchReader.from_stream(self.exporter)
            names = unique_names(reader.schema, "table").names
            wanted = set(names if columns is None else columns)
            present = [name for name in names if name in wanted]
            yield reader.schema.empty_table().select(present)
            for batch in reader:
                yield pa.Table.from_batches([batch]).select(present)
        except UNREADABLE as error:
            raise TableError(f"table: cannot be read as Arrow: {first_line(error)}") from None

    def _once(self) -> None:
        if isinstance(self.exporter, pa.RecordBatchReader):
            if self.exporter in _READ:
                raise TableError(
                    "table: this reader was read before and gives its rows once: pass a new one, or read_all()"
                )
            _READ.add(self.exporter)
