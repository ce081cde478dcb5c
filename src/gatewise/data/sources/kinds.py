"""Which kind of source a value names."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import dataset as ds

from gatewise.data.in_memory import is_frame
from gatewise.data.sources.csv_files import CsvFile
from gatewise.data.sources.datasets import ArrowDataset
from gatewise.data.sources.lazy_frames import LazyFrame, is_lazy_frame
from gatewise.data.sources.listing import listed
from gatewise.data.sources.memory import InMemory
from gatewise.data.sources.parquet_files import ParquetFile
from gatewise.data.sources.parts import Part, Parts, folder_values
from gatewise.data.sources.queries import Query
from gatewise.data.sources.source import Source
from gatewise.data.sources.stored_file import StoredFile
from gatewise.data.sources.streams import ArrowStream
from gatewise.declare import Sql
from gatewise.errors import TableError

CSV_SUFFIXES = (".csv", ".csv.gz")
TSV_SUFFIXES = (".tsv", ".tsv.gz")
PARQUET_SUFFIXES = (".parquet", ".pq")


def source_of(value: Any) -> Source:
    """Return the source that a value names; a source is returned as it is.

    Args:
        value: a path of a file or a folder, a glob, an address such as ``s3://bucket/logs``, a list of these; a query
            (:func:`gatewise.sql`); a ``pyarrow.dataset``, a polars LazyFrame, any object with the Arrow PyCapsule
            interface; a dict of arrays, a list of dicts.

    Raises:
        TableError: there is no such file, folder or bucket, or it holds something else than tables.
    """
    match value:
        case Source():
            return value
        case str() | Path():
            return _files(value)
        case Sql():
            return Query(value.sql, value.query, value.parameters)
        case ds.Dataset():
            return ArrowDataset(value)
        case list() | tuple() if value and all(isinstance(each, (str, Path)) for each in value):
            return _several(value)
    if is_lazy_frame(value):
        return LazyFrame(value)
    return ArrowStream(value) if _is_stream(value) else InMemory(value)


def is_named(value: Any) -> bool:
    """Whether a value names rows that lie elsewhere, such as a path, rather than holding them."""
    return isinstance(value, (str, Path, Source, Sql, ds.Dataset)) or (
        isinstance(value, (list, tuple)) and bool(value) and all(isinstance(each, (str, Path)) for each in value)
    )


def _files(name: str | Path) -> Source:
    found = listed(name)
    return file_source(found.files[0]) if found.is_one else _parts(found.shown, list(found.files))


def _several(names: list[str | Path] | tuple[str | Path, ...]) -> Source:
    found = [listed(name) for name in names]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return _parts(f"{found[0].shown}{more}", [file for each in found for file in each.files])


def _parts(shown: str, files: list[StoredFile]) -> Parts:
    return Parts(shown, [Part(file_source(file, shown), folder_values(file.path)) for file in files])


def file_source(file: StoredFile, among: str | None = None) -> ParquetFile | CsvFile:
    """Return the source of one file, by the end of its name; ``among`` names the folder or glob that it is part of."""
    name = file.path.lower()
    if name.endswith(PARQUET_SUFFIXES):
        return ParquetFile(file)
    if name.endswith(CSV_SUFFIXES + TSV_SUFFIXES):
        return CsvFile(file, "\t" if name.endswith(TSV_SUFFIXES) else ",")
    expected = ", ".join(PARQUET_SUFFIXES + CSV_SUFFIXES + TSV_SUFFIXES)
    if among is None:
        raise TableError(f"table {file.shown!r}: expected a file ending in {expected}")
    told = f"file {file.shown!r} does not end in {expected}; take it away, or begin its name with _"
    raise TableError(f"table {among!r}: {told}")


def _is_stream(value: Any) -> bool:
    is_table = isinstance(value, (pa.Table, pa.RecordBatch, pa.ChunkedArray, Mapping)) or is_frame(value)
    return hasattr(value, "__arrow_c_stream__") and not is_table
