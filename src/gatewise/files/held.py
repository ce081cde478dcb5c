"""A folder with one writing run at a time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from gatewise.errors import ArtefactError, InUseError
from gatewise.files.locks import lock
from gatewise.files.temporary import sweep_folder

LOCK = ".lock"
LOOK_AGAIN = 0.2
"""Seconds after which a folder that somebody holds is looked at again."""
_HELD: ContextVar[frozenset[Path]] = ContextVar("held", default=frozenset())


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Hold a folder against other runs, and make it if necessary; a dead process holds nothing.

    A folder that was made and stayed empty is removed again, and so are incomplete files of dead runs. Within the block
    the holder may hold the folder again.

    Raises:
        InUseError: another process or thread holds the folder.
        ArtefactError: the folder cannot be written.
    """
    known = folder.resolve()
    if known in _HELD.get():
        yield
        return
    made = [place for place in (known, *known.parents) if not place.exists()]
    descriptor = _taken(folder)
    sweep_folder(folder)
    token = _HELD.set(_HELD.get() | {known})
    try:
        yield
    finally:
        _HELD.reset(token)
        # removed while it is held: whoever opens the lock file now finds that it is gone, and makes another
        with suppress(OSError):
            (folder / LOCK).unlink()
            # folders that were made and stayed empty go, too
            for place in made:
                place.rmdir()
        os.close(descriptor)


@contextmanager
def held_in_turn(folder: Path, waiting: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Hold a folder as :func:`held` does, after waiting for whoever holds it.

    Args:
        folder: the folder.
        waiting: called once, with the reason, if somebody else holds the folder.
    """
    told = False
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(held(folder))
                break
            except InUseError as error:
                if not told:
                    waiting(str(error))
                told = True
                time.sleep(LOOK_AGAIN)
        yield


def is_held(folder: Path) -> bool:
    """Return whether a process or thread holds a folder now; False where the system has no locks."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        return lock(descriptor) is False
    finally:
        os.close(descriptor)


def _taken(folder: Path) -> int:
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            if lock(descriptor) is False:
                owner = os.read(descriptor, 100).decode(errors="replace").strip()
                os.close(descriptor)
                by = f"process {owner}" if owner else "another process"
                raise InUseError(f"run {str(folder)!r}: {by} is writing into it; wait, or choose another folder")
            if _still_there(descriptor, path):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"{os.getpid()}\n".encode())
                return descriptor
            os.close(descriptor)
    except OSError as error:
        raise ArtefactError(f"cannot write into {str(folder)!r}: {error.strerror or error}") from None


def _still_there(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
