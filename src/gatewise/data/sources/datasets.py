"""A data set of pyarrow, which knows its files, their partitions and a filter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from pyarrow import dataset as ds
from typing_extensions import override

from gatewise.data.reading import Types, first_line, unique_names
from gatewise.data.sources.digests import digest_of, digest_of_values
from gatewise.data.sources.source import Columns, Extent, Source
from gatewise.data.sources.stored_file import StoredFile
from gatewise.errors import TableError


class ArrowDataset(Source):
    """A ``pyarrow.dataset.Dataset``; its order of rows is that of its files."""

    def __init__(self, dataset: ds.Dataset) -> None:
        self.dataset = dataset
        unique_names(dataset.schema, "table")

    @override
    def names(self) -> list[str]:
        return list(self.dataset.schema.names)

    @override
    def read(self, columns: Columns, types: Types) -> pa.Table:
        with _explained():
            return self.dataset.to_table(columns=self._present(columns))

    @override
    def stream(self, columns: Columns, types: Types, rows: int) -> Iterator[pa.Table]:
        with _explained():
            is_first = True
            for batch in self.dataset.to_batches(columns=self._present(columns), batch_size=rows):
                if batch.num_rows:
                    is_first = False
                    yield pa.Table.from_batches([batch])
            if is_first:
                yield self.dataset.schema.empty_table().select(self._present(columns))

    @override
    def identity(self, columns: Columns = None) -> str:
        """Return a digest of the files' paths, sizes and times of change, or of the values where there are no files."""
        known = _files(self.dataset)
        if known is None:
            return digest_of_values(self.stream(columns, {}, 65_536))
        with _explained():
            facts = [fact for file in known for fact in file.version()]
        return digest_of([*facts, str(self.dataset.schema), *map(str, _filters(self.dataset))])

    @override
    def extent(self, columns: Columns = None) -> Extent:
        """Return the number of rows, and the bytes that values of the wanted columns' types take at least."""
        with _explained():
            rows = self.dataset.count_rows()
        fields = [self.dataset.schema.field(name) for name in self._present(columns)]
        return Extent(rows, rows * sum(map(_bytes, fields)))

    def _present(self, columns: Columns) -> list[str]:
        names = self.names()
        wanted = set(names if columns is None else columns)
        return [name for name in names if name in wanted]


def _files(dataset: ds.Dataset) -> list[StoredFile] | None:
    """Return a data set's files; None if it has rows from elsewhere."""
    if isinstance(dataset, ds.UnionDataset):
        inner = [_files(child) for child in dataset.children]
        return None if None in inner else [file for files in inner if files is not None for file in files]
    if not isinstance(dataset, ds.FileSystemDataset):
        return None
    return [StoredFile(dataset.filesystem, path, path) for path in dataset.files]


def _filters(dataset: ds.Dataset) -> list[Any]:
    """Return the filters of a data set, which pyarrow keeps among the options of its scans."""
    own = (getattr(dataset, "_scan_options", None) or {}).get("filter")
    inner = [found for child in getattr(dataset, "children", []) for found in _filters(child)]
    return [own, *inner]


def _bytes(field: pa.Field) -> int:
    try:
        return (field.type.bit_width + 7) // 8
    except ValueError:
        return 16


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        raise TableError(f"table: the data set cannot be read: {first_line(error)}") from None
