"""A uniform sample of numbers that come in blocks."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from gatewise.data.absorbed import State
from gatewise.data.hashing import mixed

SIZE = 2**20
"""Numbers of which all are kept; of more, a sample of this size."""


class UniformSample:
    """Keeps all numbers up to a size, and beyond it a uniform sample of that size.

    Every number has a priority that follows from the numbers of its block, from its place in the block and from the
    seed; the lowest priorities are kept. So the sample does not depend on which blocks were added here, and which in
    another sample that is merged.

    Args:
        size: largest number of numbers to keep.
        seed: another seed gives another sample.

    Example:
        >>> whole, part = UniformSample(size=3), UniformSample(size=3)
        >>> whole.add(np.arange(60.0)); whole.add(np.arange(60.0, 100.0))
        >>> merged = UniformSample(size=3)
        >>> merged.add(np.arange(60.0)); part.add(np.arange(60.0, 100.0)); merged.merge(part.absorbed())
        >>> np.array_equal(whole.values(), merged.values()), len(whole.values())
        (True, 3)
    """

    def __init__(self, size: int = SIZE, seed: int = 0) -> None:
        self.size = size
        self._seed = seed
        self._values, self._priorities = np.zeros(0), np.zeros(0, np.uint64)
        self._fresh: list[np.ndarray] = []
        self._count = 0

    def add(self, values: np.ndarray) -> None:
        """Add a block of numbers ``[number]``, after those that were added before."""
        self._fresh.append(values)
        self._count += len(values)
        # thinned with some more than the size at once, so that the work per number does not grow
        if self._count > self.size + self.size // 4 + 1:
            self._thin()

    def values(self) -> np.ndarray:
        """Return the kept numbers, in the order in which they came."""
        if self._count > self.size:
            self._thin()
        if len(self._fresh) == 1 and not len(self._values):
            return self._fresh[0]
        return np.concatenate([self._values, *self._fresh])

    def absorbed(self) -> State:
        """Return the kept numbers and their priorities, for :meth:`merge`."""
        self._thin()
        return {"values": self._values, "priorities": self._priorities}

    def merge(self, absorbed: State) -> None:
        """Take in the numbers of the next part of a table."""
        self._thin()
        self._values = np.concatenate([self._values, np.asarray(absorbed["values"])])
        self._priorities = np.concatenate([self._priorities, np.asarray(absorbed["priorities"])])
        self._count = len(self._values)
        self._thin()

    def _thin(self) -> None:
        """Give new numbers their priorities, and keep the lowest; of equal ones the first."""
        priorities = np.concatenate([self._priorities, *map(self._priorities_of, self._fresh)])
        values = np.concatenate([self._values, *self._fresh])
        if len(values) > self.size:
            last = np.partition(priorities, self.size - 1)[self.size - 1]
            kept = priorities < last
            kept[np.flatnonzero(priorities == last)[: self.size - int(kept.sum())]] = True
            values, priorities = values[kept], priorities[kept]
        self._values, self._priorities, self._fresh, self._count = values, priorities, [], len(values)

    def _priorities_of(self, block: np.ndarray) -> np.ndarray:
        digest = blake2b(np.ascontiguousarray(block).data, digest_size=8, key=self._seed.to_bytes(8, "little")).digest()
        return mixed(np.arange(len(block), dtype=np.uint64) ^ np.frombuffer(digest, "<u8"))
