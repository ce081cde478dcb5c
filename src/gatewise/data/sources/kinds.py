"""Which kind of source a value names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gatewise.data.sources.csv_files import CsvFile
from gatewise.data.sources.memory import InMemory
from gatewise.data.sources.parquet_files import ParquetFile
from gatewise.data.sources.source import Source
from gatewise.data.sources.stored_file import StoredFile
from gatewise.errors import TableError, did_you_mean

CSV_SUFFIXES = (".csv", ".csv.gz")
TSV_SUFFIXES = (".tsv", ".tsv.gz")
PARQUET_SUFFIXES = (".parquet", ".pq")


def source_of(value: Any) -> Source:
    """Return the source that a value names; a source is returned as it is.

    Raises:
        TableError: there is no such file, or a file of another kind.
    """
    if isinstance(value, Source):
        return value
    return _file(Path(value)) if isinstance(value, (str, Path)) else InMemory(value)


def _file(path: Path) -> Source:
    if path.is_dir() or not path.exists():
        found = "is a folder" if path.is_dir() else f"does not exist{_near_file(path)}"
        raise TableError(f"table {str(path)!r} {found}")
    return file_source(StoredFile.local(path))


def file_source(file: StoredFile) -> Source:
    """Return the source of one file, by the end of its name."""
    name = file.path.lower()
    if name.endswith(PARQUET_SUFFIXES):
        return ParquetFile(file)
    if name.endswith(CSV_SUFFIXES + TSV_SUFFIXES):
        return CsvFile(file, "\t" if name.endswith(TSV_SUFFIXES) else ",")
    expected = ", ".join(PARQUET_SUFFIXES + CSV_SUFFIXES + TSV_SUFFIXES)
    raise TableError(f"table {file.shown!r}: expected a file ending in {expected}")


def _near_file(path: Path) -> str:
    parent = path.parent
    return did_you_mean(path.name, [p.name for p in parent.iterdir()]) if parent.is_dir() else ""
