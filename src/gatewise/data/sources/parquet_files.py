"""Reading Parquet files, whole or in pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
from typing_extensions import override

from gatewise.data.reading import Types, first_line, unique_names
from gatewise.data.sources.digests import digest_of
from gatewise.data.sources.source import Columns, Extent, Source
from gatewise.data.sources.stored_file import StoredFile
from gatewise.errors import TableError


class ParquetFile(Source):
    """A Parquet file; errors name the file."""

    def __init__(self, file: StoredFile) -> None:
        self.file = file
        self.shown = file.shown

    @override
    def names(self) -> list[str]:
        """Return the names of all columns, without reading rows."""
        with self._opened() as file:
            return list(file.schema_arrow.names)

    def schema_of(self, columns: Columns, types: Types) -> pa.Schema:  # noqa: ARG002
        """Return names and types of the wanted columns that exist, without reading rows."""
        with self._opened() as file:
            return pa.schema([file.schema_arrow.field(name) for name in self._present(file, columns)])

    @override
    def read(self, columns: Columns, types: Types) -> pa.Table:
        """Return the whole table, or the columns of ``columns`` that exist."""
        with self._opened() as file:
            return file.read(self._present(file, columns))

    @override
    def stream(self, columns: Columns, types: Types, rows: int) -> Iterator[pa.Table]:
        """Yield pieces of at most ``rows`` rows; one empty piece for a file without rows."""
        with self._opened() as file:
            present = self._present(file, columns)
            yield from map(_as_table, file.iter_batches(batch_size=rows, columns=present))
            if file.metadata.num_rows == 0:
                yield file.schema_arrow.empty_table().select(present)

    @override
    def identity(self, columns: Columns = None) -> str:
        """Return a digest of the file's path, size and time of change."""
        with self._explained():
            return digest_of(self.file.version())

    @override
    def extent(self, columns: Columns = None) -> Extent:
        """Return the number of rows, and the bytes of the wanted columns without compression."""
        with self._opened() as file:
            present, metadata, names = self._present(file, columns), file.metadata, file.schema_arrow.names
            paths = [metadata.schema.column(place).path for place in range(metadata.num_columns)]
            wanted = [place for place, path in enumerate(paths) if _owner(path, names) in present]
            groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
            size = sum(group.column(place).total_uncompressed_size for group in groups for place in wanted)
            return Extent(metadata.num_rows, size)

    def _present(self, file: pq.ParquetFile, columns: Iterable[str] | None) -> list[str]:
        names = file.schema_arrow.names
        wanted = set(names if columns is None else columns)
        return [name for name in names if name in wanted]

    @contextmanager
    def _opened(self) -> Iterator[pq.ParquetFile]:
        with (
            self._explained(),
            self.file.open_file() as opened,
            # a bucket answers few large requests faster than many small ones
            pq.ParquetFile(opened, pre_buffer=not self.file.is_local) as file,
        ):
            unique_names(file.schema_arrow, f"table {self.shown!r}")
            yield file

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError) as error:
            raise TableError(f"table {self.shown!r} is no readable Parquet file: {first_line(error)}") from None


def _owner(path: str, names: list[str]) -> str | None:
    """Return the table's column that a column of Parquet, such as ``genres.list.element``, is part of."""
    return path if path in names else next((name for name in names if path.startswith(f"{name}.")), None)


def _as_table(batch: pa.RecordBatch) -> pa.Table:
    return pa.Table.from_batches([batch])
