"""Child processes that train beside each other: what they may import, their threads, and when they end."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator

from gatewise.machine import tune_process, use_threads

SAFE = "PYTHONSAFEPATH"
"""Variable that keeps Python from looking for modules in the working directory first."""


@contextlib.contextmanager
def nothing_from_here() -> Iterator[None]:
    """Keep child processes from importing modules of the working directory while they start."""
    before = os.environ.get(SAFE)
    os.environ[SAFE] = "1"
    try:
        yield
    finally:
        os.environ.pop(SAFE)
        if before is not None:
            os.environ[SAFE] = before


def begin_child(threads: int = 1) -> None:
    """Compute with so many threads, and end with the parent process, or on Ctrl-C."""
    compute_with(threads)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def compute_with(threads: int) -> None:
    """Compute with so many threads, beside other processes."""
    tune_process()
    use_threads(threads)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
