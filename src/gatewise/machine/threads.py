"""How many threads compute, and how those that have nothing to do wait."""

from __future__ import annotations

import os

SPIN_COUNT = "GOMP_SPINCOUNT"
"""How often a thread of OpenMP looks for work before it lets other programs have its core."""
BRIEF = "1000"


def wait_briefly() -> None:
    """Let waiting threads make room for other programs after some microseconds, unless the environment says otherwise.

    By default training becomes ten times slower when another program wants a core. OpenMP reads it when torch is
    imported; later it is for the processes that this one starts.
    """
    os.environ.setdefault(SPIN_COUNT, BRIEF)


def spin_count() -> str | None:
    """Return what the environment says about waiting threads; None: nothing, they spin."""
    return os.environ.get(SPIN_COUNT)


def use_one_thread() -> None:
    """Compute and read tables with one thread, in a process that is one of several."""
    import pyarrow as pa
    import torch

    torch.set_num_threads(1)
    pa.set_cpu_count(1)
