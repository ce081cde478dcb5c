"""How much memory there is for this process."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where a container's limit stands, in both versions of control groups."""
USUAL = 8 << 30
"""Assumed where the system does not say."""


def memory_of_machine() -> int:
    """Return the bytes of memory of the machine, or of the container if that has fewer."""
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        found = USUAL
    for path in LIMITS:
        # "max" stands for no limit
        with suppress(OSError, ValueError):
            found = min(found, int(path.read_text()))
    return found
