"""Reading Parquet files, whole or in pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gatewise.data.reading import Types, first_line, unique_names
from gatewise.errors import TableError


class ParquetFile:
    """A Parquet file; errors name the file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def names(self) -> list[str]:
        """Return the names of all columns, without reading rows."""
        with self._opened() as file:
            return list(file.schema_arrow.names)

    def read(self, columns: Iterable[str] | None, types: Types) -> pa.Table:  # noqa: ARG002
        """Return the whole table, or the columns of ``columns`` that exist."""
        with self._opened() as file:
            return file.read(self._present(file, columns))

    def stream(self, columns: Iterable[str] | None, types: Types, rows: int) -> Iterator[pa.Table]:  # noqa: ARG002
        """Yield pieces of at most ``rows`` rows; one empty piece for a file without rows."""
        with self._opened() as file:
            present = self._present(file, columns)
            yield from map(_as_table, file.iter_batches(batch_size=rows, columns=present))
            if file.metadata.num_rows == 0:
                yield file.schema_arrow.empty_table().select(present)

    def _present(self, file: pq.ParquetFile, columns: Iterable[str] | None) -> list[str]:
        names = file.schema_arrow.names
        wanted = set(names if columns is None else columns)
        return [name for name in names if name in wanted]

    @contextmanager
    def _opened(self) -> Iterator[pq.ParquetFile]:
        where = f"table {str(self.path)!r}"
        try:
            with pq.ParquetFile(self.path) as file:
                unique_names(file.schema_arrow, where)
                yield file
        except (pa.ArrowException, OSError) as error:
            raise TableError(f"{where} is no readable Parquet file: {first_line(error)}") from None


def _as_table(batch: pa.RecordBatch) -> pa.Table:
    return pa.Table.from_batches([batch])
