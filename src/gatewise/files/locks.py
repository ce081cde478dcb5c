"""Locks that the system takes back when a process dies, however it dies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # another system than POSIX
    fcntl = None  # type: ignore[assignment]


def lock(descriptor: int) -> bool | None:
    """Take the lock of an open file or folder, unless another holder has the lock.

    Returns:
        Whether the lock was free; None if this system or disk has no locks.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Let one process at a time change a folder's content; without locks, go on."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        yield
        return
    try:
        if fcntl is not None:
            with suppress(OSError):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
