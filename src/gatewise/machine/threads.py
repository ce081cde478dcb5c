"""The number of computing threads, and how idle threads wait."""

from __future__ import annotations

import os

SPIN_COUNT = "GOMP_SPINCOUNT"
"""Variable: how often an idle OpenMP thread looks for work before it yields its core."""
BRIEF = "1000"


def wait_briefly() -> None:
    """Let idle threads yield their cores after some microseconds, unless the environment says otherwise.

    By default training becomes ten times slower when another program wants a core. OpenMP reads the variable when torch
    is imported; a later change concerns child processes only.
    """
    os.environ.setdefault(SPIN_COUNT, BRIEF)


def spin_count() -> str | None:
    """Return the environment's spin count of idle threads; None: not set, they spin."""
    return os.environ.get(SPIN_COUNT)


def use_threads(count: int) -> None:
    """Compute and read tables with so many threads, for a process beside others."""
    import pyarrow as pa
    import torch

    torch.set_num_threads(count)
    pa.set_cpu_count(count)
