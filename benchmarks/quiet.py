"""Is the machine ours alone? A training on all processors loses far more than its share to other work."""

from __future__ import annotations

import time
from pathlib import Path

TOO_MUCH = 0.1
IDLE = slice(3, 5)
"""Columns of /proc/stat: idle, and waiting for disks."""


def busy_share(seconds: float = 0.5) -> float:
    """Return the share of all processors' time that is in use while we wait; 0 where the system does not tell."""
    before = _times()
    time.sleep(seconds)
    passed = [after - earlier for after, earlier in zip(_times(), before, strict=True)]
    return 1 - sum(passed[IDLE]) / sum(passed) if sum(passed) else 0.0


def _times() -> list[int]:
    stat = Path("/proc/stat")
    # the last two columns, guests, are in the first two as well
    return [int(ticks) for ticks in stat.read_text().splitlines()[0].split()[1:9]] if stat.exists() else []
