"""Rows of a cache for training: some blocks in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.assembly.tensors import to_tensors
from gatewise.data import CachedRows, EncodedTable, to_batch
from gatewise.nn import Batch, TensorTable
from gatewise.processes import Alone, Processes

WINDOW_BLOCKS = 64
"""Blocks of a window: their rows are shuffled together."""


class Window(NamedTuple):
    """A window in memory: its rows, and their order for batches.

    Attributes:
        encoded: the rows, those left over from the window before in front.
        table: the same as tensors, prepared.
        order: ``[row]``, indices of the rows in the order of the epoch.
    """

    encoded: EncodedTable
    table: TensorTable
    order: Tensor


def as_they_are(table: TensorTable) -> TensorTable:
    """Return the table itself."""
    return table


@dataclass(frozen=True)
class WindowedRows:
    """Encoded rows on disk, which are trained on window by window.

    The order of an epoch is a function of the seed: blocks are put into a random order, every :data:`WINDOW_BLOCKS` of
    them are a window, and rows are shuffled within it. Batch i is rows ``i * batch_size`` to ``(i + 1) * batch_size``
    of that order, so that a place in an epoch is one number. Blocks of a cache in the order of time keep their order.

    Attributes:
        cached: the rows on disk.
        num_labels: number of label columns.
        device: the device of the tensors.
        prepare: called on every window.
        window_blocks: blocks of a window.
    """

    cached: CachedRows
    num_labels: int
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    prepare: Callable[[TensorTable], TensorTable] = as_they_are
    window_blocks: int = WINDOW_BLOCKS
    _vectors: list[Tensor | None] = field(default_factory=list, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.cached)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return len(self)

    def prepared(self, prepare: Callable[[TensorTable], TensorTable]) -> WindowedRows:
        """Return the rows after ``prepare``, which is called on every window."""
        before = self.prepare
        return replace(self, prepare=lambda table: prepare(before(table)), _vectors=[])

    def digest(self) -> str:
        """Return a hash of the files and of their order."""
        return self.cached.manifest.digest()

    def pieces(self) -> Iterator[TensorTable]:
        """Yield all rows in the order of the files, window by window."""
        for blocks in self._windows(None):
            yield self._table(self.cached.load(blocks))

    def head(self, rows: int) -> TensorTable:
        """Return the first rows."""
        counts = self.cached.block_rows
        needed = next((place + 1 for place, end in enumerate(accumulate(counts)) if end >= rows), len(counts))
        return self._table(self.cached.load(range(needed))).head(rows)

    def batches(
        self,
        batch_size: int,
        seed: int | None = None,
        *,
        whole_groups: bool = False,
        processes: Processes = Alone(),  # noqa: B008
        first: int = 0,
    ) -> Iterator[Batch]:
        """Yield this process's share of every batch; see :class:`gatewise.training.TrainingRows`.

        The next window is read while this one is trained on.
        """
        windows = self._windows(seed)
        ends = [0, *accumulate(sum(self.cached.block_rows[block] for block in blocks) for blocks in windows)]
        # windows before the first batch are not read
        start = next((number for number, end in enumerate(ends[1:]) if end > first * batch_size), len(windows))
        skip = first * batch_size - ends[start]

        def read(number: int, before: EncodedTable | None) -> Window:
            rows = None if before is None or not len(before) else to_batch(before)
            encoded = self.cached.load(windows[number], rows)
            table = self._table(encoded)
            own = None if seed is None else _seed_of_window(seed, number)
            return Window(encoded, table, _behind(table, len(before or ()), own, whole_groups=whole_groups))

        with ThreadPoolExecutor(1) as pool:
            coming: Future[Window] | None = pool.submit(read, start, None) if start < len(windows) else None
            for number in range(start, len(windows)):
                assert coming is not None
                window = coming.result()
                order = window.order[skip:] if number == start else window.order
                last = number + 1 == len(windows)
                whole = len(order) if last else len(order) // batch_size * batch_size
                left = window.encoded.taken(order[whole:].numpy())
                coming = None if last else pool.submit(read, number + 1, left)
                yield from window.table.batches_in(order[:whole], batch_size, processes, whole_groups=whole_groups)

    def _windows(self, seed: int | None) -> list[Sequence[int]]:
        """Return the blocks of every window, in the order of an epoch."""
        count = len(self.cached.block_rows)
        if seed is None or self.cached.manifest.order == "time":
            order = list(range(count))
        else:
            order = torch.randperm(count, generator=torch.Generator().manual_seed(seed)).tolist()
        bounds = [*range(0, count, self.window_blocks), count]
        return [order[a:b] for a, b in pairwise(bounds)]

    def _table(self, encoded: EncodedTable) -> TensorTable:
        table = to_tensors(encoded, self.num_labels).to(self.device)
        # a frozen language model reads every text of the cache once, not once a window
        if self._vectors:
            known = zip(table.texts, self._vectors, strict=True)
            table = replace(table, texts=tuple(replace(texts, vectors=vectors) for texts, vectors in known))
        table = self.prepare(table)
        if table.texts and not self._vectors:
            self._vectors.extend(texts.vectors for texts in table.texts)
        return table


def _behind(table: TensorTable, before: int, seed: int | None, *, whole_groups: bool) -> Tensor:
    """Return the order of a window's rows: those left over from the window before, then its own, shuffled."""
    own = table.part(slice(before, None)).order(seed, whole_groups=whole_groups)
    return torch.cat([torch.arange(before), own + before])


def _seed_of_window(seed: int, number: int) -> int:
    """Return the seed of a window's shuffling, from the seed of the epoch."""
    return (seed * 1_000_003 + 2 * number + 1) % (2**63 - 1)
