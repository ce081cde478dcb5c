"""Atomic writing of one file: complete or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gatewise.errors import ArtefactError
from gatewise.files.durable import sync
from gatewise.files.temporary import temporary_file


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` fill a temporary file beside ``path``, then rename the file; on failure nothing has changed.

    Raises:
        ArtefactError: the file cannot be written; says why.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(path) as temporary:
            write(temporary)
            sync(temporary)
            temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        raise ArtefactError(f"cannot write {str(path)!r}: {error.strerror or error}") from None


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 text, complete or not at all."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes, complete or not at all."""

    def write(temporary: Path) -> None:
        temporary.write_bytes(content)

    write_atomically(path, write)
