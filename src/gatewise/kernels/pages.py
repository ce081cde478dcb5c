"""Large tables on large pages of memory."""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable

from torch import Tensor

HUGE_PAGE = 2 * 1024 * 1024
# madvise(2): back this range with huge pages if possible
MADV_HUGEPAGE = 14


def on_huge_pages(tensor: Tensor) -> Tensor:
    """Return a fresh tensor after asking the system to back it with pages of 2 MB.

    Random reads of rows miss the processor's TLB (its cache of page addresses) nearly every time if a page is 4 KB. The
    request concerns memory not written yet; small tensors, and systems other than Linux, do not change.
    """
    advise = _madvise()
    if advise is None or tensor.device.type != "cpu":
        return tensor
    start = tensor.data_ptr()
    end = start + tensor.numel() * tensor.element_size()
    first, last = -(-start // HUGE_PAGE) * HUGE_PAGE, end // HUGE_PAGE * HUGE_PAGE
    if first < last:
        # a failure is ignored, because only speed depends on large pages
        advise(first, last - first, MADV_HUGEPAGE)
    return tensor


@functools.cache
def _madvise() -> Callable[[int, int, int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return advise
