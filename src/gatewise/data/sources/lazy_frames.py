"""Lazy frames of polars, which compute their rows when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from typing_extensions import override

from gatewise.data.pieces import regrouped
from gatewise.data.reading import Types, first_line
from gatewise.data.sources.source import Columns, Source
from gatewise.errors import TableError


class LazyFrame(Source):
    """A ``polars.LazyFrame``; only the wanted columns are computed."""

    def __init__(self, frame: Any) -> None:
        self.frame = frame

    @override
    def names(self) -> list[str]:
        with _explained():
            return list(self.frame.collect_schema().names())

    @override
    def read(self, columns: Columns, types: Types) -> pa.Table:
        wanted = self._wanted(columns)
        with _explained():
            return pa.table(wanted.collect())

    @override
    def stream(self, columns: Columns, types: Types, rows: int) -> Iterator[pa.Table]:
        yield from regrouped(self._pieces(self._wanted(columns), rows), rows, some=True)

    def _pieces(self, wanted: Any, rows: int) -> Iterator[pa.Table]:
        with _explained():
            yield pa.table(wanted.head(0).collect())
            # older versions of polars compute all rows at once
            batched = getattr(wanted, "collect_batches", None)
            frames = batched(chunk_size=rows, maintain_order=True) if batched else [wanted.collect()]
            for frame in frames:
                yield pa.table(frame)

    def _wanted(self, columns: Columns) -> Any:
        wanted = None if columns is None else set(columns)
        return self.frame.select([name for name in self.names() if wanted is None or name in wanted])


def is_lazy_frame(value: Any) -> bool:
    """Whether a value is a lazy frame of polars; polars is not imported."""
    kind = type(value)
    return (
        kind.__module__.partition(".")[0] == "polars"
        and hasattr(value, "collect_schema")
        and kind.__name__ == "LazyFrame"
    )


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except TableError:
        raise
    except Exception as error:
        if not type(error).__module__.startswith("polars") and not isinstance(error, (OSError, pa.ArrowException)):
            raise
        raise TableError(f"table: the lazy frame cannot be computed: {first_line(error)}") from None
