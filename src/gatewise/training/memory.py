"""Keeping freed memory for the next step."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

# glibc's parameters of mallopt
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4
DEFAULT_MMAP_MAX = 65_536
# where glibc's own adaptive thresholds end; setting one stops their adaption
LARGEST_THRESHOLD = 32 * 1024 * 1024
NEVER = 2**31 - 1


@contextmanager
def kept_memory() -> Iterator[None]:
    """Within it glibc keeps what is freed; at the end what is free goes back to the system.

    A training step frees what the next one needs again. glibc would hand large blocks back and fetch them anew, page
    by page, at every step. Elsewhere than on glibc nothing happens.
    """
    libc = ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None
    if libc is None:
        yield
        return
    libc.mallopt(MMAP_MAX, 0)
    libc.mallopt(TRIM_THRESHOLD, NEVER)
    try:
        yield
    finally:
        libc.mallopt(MMAP_MAX, DEFAULT_MMAP_MAX)
        libc.mallopt(MMAP_THRESHOLD, LARGEST_THRESHOLD)
        libc.mallopt(TRIM_THRESHOLD, 2 * LARGEST_THRESHOLD)
        libc.malloc_trim(0)
