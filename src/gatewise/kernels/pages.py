"""Large tables on large pages of memory."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable

from torch import Tensor

HUGE_PAGE = 2 * 1024 * 1024
# madvise(2): back this range with huge pages where they are to be had
MADV_HUGEPAGE = 14


def on_huge_pages(tensor: Tensor) -> Tensor:
    """Ask the system to back a fresh tensor with pages of 2 MB, and return it.

    Rows read at random miss the processor's table of pages nearly every time when a page is 4 KB. Only memory that
    nobody has written yet is backed anew; small tensors and other systems than Linux stay as they are.
    """
    advise = _madvise()
    if advise is None or tensor.device.type != "cpu":
        return tensor
    start = tensor.data_ptr()
    end = start + tensor.numel() * tensor.element_size()
    first, last = -(-start // HUGE_PAGE) * HUGE_PAGE, end // HUGE_PAGE * HUGE_PAGE
    if first < last:
        # what the system cannot do it leaves: nothing depends on it
        advise(first, last - first, MADV_HUGEPAGE)
    return tensor


@functools.cache
def _madvise() -> Callable[[int, int, int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return advise
