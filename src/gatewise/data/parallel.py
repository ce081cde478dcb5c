"""Parallel work on columns, in threads: Arrow and NumPy release the interpreter lock while they compute."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pyarrow as pa

ROWS_WORTH_THREADS = 50_000
"""Number of rows from which threads pay off."""

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(work: Callable[[Item], Result], items: Iterable[Item], rows: int) -> list[Result]:
    """Return ``[work(item) for item in items]``, by as many threads as Arrow may use (``pyarrow.set_cpu_count``).

    The results are in the order of the items. If several items fail, the error of the first item in this order is
    raised.

    Args:
        work: called for every item; the calls must be independent.
        items: usually features.
        rows: number of rows of the table.
    """
    items = list(items)
    threads = min(pa.cpu_count(), len(items))
    if rows < ROWS_WORTH_THREADS or threads < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))
