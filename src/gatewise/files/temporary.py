"""Temporary files and folders beside their targets, and the removal of those whose writer has died."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gatewise.files.locks import lock, one_at_a_time

FRESH, OLD = ".tmp", ".old"
"""Suffixes of files and folders being written, and of a folder that is about to be replaced."""

MADE = re.compile(r"\..+\.[a-z0-9_]{8}" + re.escape(FRESH))
"""Names that :mod:`tempfile` makes from our prefix and suffix."""


@contextmanager
def temporary_file(path: Path) -> Iterator[Path]:
    """Yield an empty file beside ``path``, locked so that nobody sweeps it; the file is removed afterwards.

    Its permissions are those of any new file.
    """

    def make() -> tuple[int, str]:
        return tempfile.mkstemp(prefix=_prefix(path), suffix=FRESH, dir=path.parent)

    with _ours(path, make) as temporary:
        # mkstemp makes files private; the umask decides here as for any other file
        temporary.chmod(0o666 & ~_umask())
        yield temporary


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``path``, see :func:`temporary_file`."""

    def make() -> tuple[int, str]:
        name = tempfile.mkdtemp(prefix=_prefix(path), suffix=FRESH, dir=path.parent)
        return os.open(name, os.O_RDONLY) if os.name == "posix" else -1, name

    with _ours(path, make) as temporary:
        temporary.chmod(0o777 & ~_umask())
        yield temporary


@contextmanager
def _ours(path: Path, make: Callable[[], tuple[int, str]]) -> Iterator[Path]:
    """Make a temporary file or folder and hold its lock, which tells others that its writer lives."""
    with one_at_a_time(path.parent):
        sweep(path)
        descriptor, name = make()
        if descriptor >= 0:
            lock(descriptor)
    temporary, process = Path(name), os.getpid()
    try:
        yield temporary
    finally:
        # a forked child that ends leaves its parent's files alone
        if os.getpid() == process:
            # a failed removal, as on a broken disk, must not hide the first error; the next writer tries again
            remove(temporary)
        if descriptor >= 0:
            os.close(descriptor)


def sweep(path: Path) -> None:
    """Remove the rests of dead writers of ``path``; an old version without its new one is put back."""
    with suppress(OSError):
        for left in list(left_of(path, (FRESH, OLD))):
            if left.name.endswith(OLD) and not path.exists() and any(left.iterdir()):
                left.rename(path)
            elif _abandoned(left):
                remove(left)


def sweep_folder(folder: Path) -> None:
    """Remove the rests of dead writers in a folder that the caller holds."""
    with suppress(OSError):
        for left in list(folder.iterdir()):
            if MADE.fullmatch(left.name) and _abandoned(left):
                remove(left)


def left_of(path: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    """Yield the temporary files and folders of ``path``, which lie beside it."""
    prefix = _prefix(path)
    return (other for other in path.parent.iterdir() if other.name.startswith(prefix) and other.name.endswith(endings))


def remove(path: Path) -> None:
    """Remove a file or folder as far as that is possible."""
    with suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _abandoned(left: Path) -> bool:
    """Whether the maker of a file or folder is gone: the system has taken the lock back."""
    try:
        descriptor = os.open(left, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return False
    try:
        return lock(descriptor) is True
    finally:
        os.close(descriptor)


def _prefix(path: Path) -> str:
    return f".{path.name}."


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
