"""Where predictions are written: one file or a folder of part files, on the local disk or in a bucket."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from pyarrow import fs

from gatewise.data import Place, is_local, place_of, reason
from gatewise.declare import is_uri
from gatewise.errors import ArtefactError, TableError
from gatewise.files import replace_folder, write_atomically

WRITERS: dict[str, Callable[[Any, pa.Schema], AbstractContextManager[Any]]] = {
    ".parquet": pq.ParquetWriter,
    ".csv": pacsv.CSVWriter,
}
PART_ROWS = 1_000_000
"""Rows of a part file."""
PART = "part-{:05d}.parquet"


@dataclass(frozen=True)
class Output:
    """A file or a folder that gets a table, whole or not at all.

    Attributes:
        place: where it is.
        suffix: of the file, or of the part files of a folder.
        is_folder: whether it is a folder of part files.
    """

    place: Place
    suffix: str
    is_folder: bool

    @classmethod
    def of(cls, target: str | Path) -> Output:
        """Return what a name stands for: a file by its suffix, a folder without one.

        Raises:
            TableError: another suffix, or an address of an unknown kind.
        """
        place = place_of(target)
        text = place.path
        suffix = Path(text).suffix.lower()
        if suffix in WRITERS and not text.endswith("/"):
            return cls(place, suffix, is_folder=False)
        is_folder = text.endswith("/") or not suffix or (is_local(place) and Path(text).is_dir())
        if not is_folder:
            expected = f"expected a file ending in {' or '.join(WRITERS)}, or a folder"
            raise TableError(f"output {place.shown!r}: {expected}")
        return cls(place, ".parquet", is_folder=True)

    def write(self, pieces: Iterator[pa.Table]) -> None:
        """Write a table in pieces.

        Raises:
            ArtefactError: the file cannot be written; nothing has changed.
        """
        if is_local(self.place):
            self._write_here(Path(self.place.path), pieces)
            return
        with tempfile.TemporaryDirectory(prefix="gatewise-output-") as folder:
            here = Path(folder) / "out"
            if self.is_folder:
                here.mkdir()
                self._check_empty()
                _write_parts(here, pieces)
                self._upload({f"{self.place.path.rstrip('/')}/{part.name}": part for part in sorted(here.iterdir())})
            else:
                _write_file(here, pieces, self.suffix)
                self._upload({self.place.path: here})

    def _write_here(self, path: Path, pieces: Iterator[pa.Table]) -> None:
        if not self.is_folder:
            write_atomically(path, lambda temporary: _write_file(temporary, pieces, self.suffix))
            return
        try:
            replace_folder(path, lambda fresh: _write_parts(fresh, pieces), _holds_parts_alone)
        except FileExistsError:
            raise ArtefactError(f"output {str(path)!r} holds something else than predictions") from None
        except OSError as error:
            raise ArtefactError(f"cannot write {str(path)!r}: {error.strerror or error}") from None

    def _check_empty(self) -> None:
        folder = self.place.path.rstrip("/")
        try:
            found = self.place.system.get_file_info(fs.FileSelector(folder, recursive=True, allow_not_found=True))
        except (pa.ArrowException, OSError) as error:
            raise ArtefactError(f"cannot write {self.place.shown!r}: {reason(error, self.place)}") from None
        if any(info.type == fs.FileType.File for info in found):
            raise ArtefactError(f"output {self.place.shown!r} is not empty; name another folder")

    def _upload(self, files: dict[str, Path]) -> None:
        """Send files that are complete; a bucket shows an object when all of it is there."""
        system, done = self.place.system, []
        try:
            for target, path in files.items():
                done.append(target)
                temporary = target if system.type_name in ("s3", "gcs") else _beside(target)
                with path.open("rb") as source, system.open_output_stream(temporary) as stream:
                    shutil.copyfileobj(source, stream, 8 << 20)
                if temporary != target:
                    system.move(temporary, target)
        except (pa.ArrowException, OSError) as error:
            for target in done if self.is_folder else ():
                with suppress(pa.ArrowException, OSError):
                    system.delete_file(target)
            raise ArtefactError(f"cannot write {self.place.shown!r}: {reason(error, self.place)}") from None


def same_as(output: Output, source: Any) -> bool:
    """Whether an output is the one file, or the folder, that is read."""
    if not isinstance(source, (str, Path)):
        return False
    if is_uri(source) or not is_local(output.place):
        return place_of(source).shown.rstrip("/") == output.place.shown.rstrip("/")
    here, there = Path(output.place.path), Path(source)
    return here.exists() and there.exists() and here.samefile(there)


def _write_file(path: Path, pieces: Iterator[pa.Table], suffix: str) -> None:
    first = next(pieces)
    with WRITERS[suffix](path, first.schema) as writer:
        writer.write_table(first)
        for piece in pieces:
            writer.write_table(piece)


def _write_parts(folder: Path, pieces: Iterator[pa.Table]) -> None:
    number, rows, writer = 0, 0, None
    try:
        for piece in pieces:
            if writer is None or rows >= PART_ROWS:
                if writer is not None:
                    writer.close()
                writer = pq.ParquetWriter(folder / PART.format(number), piece.schema)
                number, rows = number + 1, 0
            writer.write_table(piece)
            rows += piece.num_rows
    finally:
        if writer is not None:
            writer.close()


def _holds_parts_alone(path: Path) -> bool:
    """Whether a folder is empty, or holds part files as they are written here."""
    return path.is_dir() and all(each.match("part-*.parquet") and each.is_file() for each in path.iterdir())


def _beside(target: str) -> str:
    folder, slash, name = target.rpartition("/")
    return f"{folder}{slash}.{name}.tmp"
