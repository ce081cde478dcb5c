"""Columns worked on side by side: Arrow and NumPy let go of the interpreter while they compute."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pyarrow as pa

ROWS_WORTH_THREADS = 50_000
"""In shorter tables the work on a column takes less time than handing it to a thread."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(work: Callable[[Item], Result], items: Iterable[Item], rows: int) -> list[Result]:
    """Return ``[work(item) for item in items]``, by as many threads as Arrow may use (``pyarrow.set_cpu_count``).

    The results stand in the order of the items. Where several items fail, the error is that of the first of them,
    whichever thread comes to its end first.

    Args:
        work: done for every item; the calls do not depend on each other.
        items: most often features.
        rows: of the table that the work is done on.
    """
    items = list(items)
    threads = min(pa.cpu_count(), len(items))
    if rows < ROWS_WORTH_THREADS or threads < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))
