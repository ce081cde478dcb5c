"""Freed memory: kept for the next step, or given back to the system."""

from __future__ import annotations

import ctypes
import platform

# glibc's parameters of mallopt
TRIM_THRESHOLD, MMAP_MAX = -1, -4
NEVER = 2**31 - 1

_kept = False


def keep_freed_memory() -> None:
    """Let glibc keep freed memory for as long as the process lives; without glibc nothing happens.

    By default glibc hands large blocks back and fetches them anew, page by page, whenever they are needed.
    """
    global _kept
    if platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    # mallopt returns 1 on success
    _kept = bool(libc.mallopt(MMAP_MAX, 0)) & bool(libc.mallopt(TRIM_THRESHOLD, NEVER))


def give_back_freed_memory() -> None:
    """Give back to the system what glibc keeps of freed memory, in this thread's heap and those of others, once.

    Memory that is kept for the next step does not help work of another kind, which takes blocks of other sizes.
    """
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)


def freed_memory_is_kept() -> bool:
    """Whether :func:`keep_freed_memory` was called in this process, with success."""
    return _kept
