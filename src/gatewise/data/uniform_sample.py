"""A uniform sample of numbers that come in pieces."""

from __future__ import annotations

import numpy as np

from gatewise.data.hashing import mixed

SIZE = 2**20
"""Numbers of which all are kept; of more, a sample of this size."""


class UniformSample:
    """Keeps all numbers up to a size, and beyond it a uniform sample of that size.

    Every number has a priority that follows from its place among all numbers and from the seed; the lowest priorities
    are kept. So the sample does not depend on how the numbers were cut into pieces.

    Args:
        size: largest number of numbers to keep.
        seed: another seed gives another sample.

    Example:
        >>> whole, pieces = UniformSample(size=3), UniformSample(size=3)
        >>> whole.add(np.arange(100.0))
        >>> pieces.add(np.arange(60.0)); pieces.add(np.arange(60.0, 100.0))
        >>> np.array_equal(np.sort(whole.values()), np.sort(pieces.values())), len(whole.values())
        (True, 3)
    """

    def __init__(self, size: int = SIZE, seed: int = 0) -> None:
        self.size = size
        self._salt = mixed(np.array([seed], dtype=np.uint64))
        self._values: list[np.ndarray] = []
        self._places: list[np.ndarray] = []
        self._seen = self._kept = 0

    def add(self, values: np.ndarray) -> None:
        """Add numbers ``[number]``, after those that were added before."""
        self._values.append(values)
        counter = np.uint32 if self._seen + len(values) < 2**32 else np.uint64
        self._places.append(np.arange(self._seen, self._seen + len(values), dtype=counter))
        self._seen += len(values)
        self._kept += len(values)
        # thinned with some more than the size at once, so that the work per number does not grow
        if self._kept > self.size + self.size // 4 + 1:
            self._thin()

    def values(self) -> np.ndarray:
        """Return the kept numbers, in the order in which they came."""
        if self._kept > self.size:
            self._thin()
        if len(self._values) == 1:
            return self._values[0]
        return np.concatenate([np.zeros(0), *self._values])

    def _thin(self) -> None:
        values, places = np.concatenate(self._values), np.concatenate(self._places)
        lowest = np.sort(np.argpartition(mixed(places.astype(np.uint64) ^ self._salt), self.size)[: self.size])
        self._values, self._places, self._kept = [values[lowest]], [places[lowest]], self.size
