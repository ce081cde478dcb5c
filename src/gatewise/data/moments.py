"""Mean and standard deviation of numbers that come in pieces."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Moments:
    """Count, mean and variance of numbers; adding two moments gives the moments of all numbers together.

    For one piece the values equal NumPy's exactly. Merging follows Chan, Golub and LeVeque (1983), which avoids the
    difference of large sums.
    """

    count: int = 0
    mean: float = 0.0
    variance: float = 0.0

    @classmethod
    def of(cls, values: np.ndarray) -> Moments:
        """Return the moments of an array."""
        return cls(len(values), float(values.mean()), float(values.var())) if len(values) else cls()

    @property
    def std(self) -> float:
        """The standard deviation."""
        return float(np.sqrt(self.variance))

    def __add__(self, other: Moments) -> Moments:
        if not self.count or not other.count:
            return self if self.count else other
        count = self.count + other.count
        apart, share = other.mean - self.mean, other.count / count
        squares = self.count * self.variance + other.count * other.variance
        variance = (squares + apart**2 * self.count * share) / count
        return Moments(count, self.mean + apart * share, variance)


class BlockMoments:
    """The moments of blocks of numbers, which are added up when all blocks are there.

    So those of the parts of a table, merged in the order of the parts, give the same bits as those of the whole.

    Example:
        >>> blocks = BlockMoments()
        >>> blocks.add(np.array([1.0, 2.0])); blocks.add(np.array([6.0]))
        >>> blocks.total().mean
        3.0
    """

    def __init__(self) -> None:
        self._blocks: list[Moments] = []

    def add(self, values: np.ndarray) -> None:
        """Add the next block of numbers, see :func:`gatewise.data.pieces.blocks`."""
        if len(values):
            self._blocks.append(Moments.of(values))

    def total(self) -> Moments:
        """Return the moments of all numbers, added up block by block."""
        return sum(self._blocks, Moments())

    def absorbed(self) -> np.ndarray:
        """Return count, mean and variance of every block, one after the other, for :meth:`merge`."""
        flat = [number for block in self._blocks for number in (block.count, block.mean, block.variance)]
        return np.array(flat, np.float64)

    def merge(self, absorbed: Iterable[float]) -> None:
        """Take in the blocks of the next part of the table."""
        for count, mean, variance in np.asarray(absorbed, np.float64).reshape(-1, 3).tolist():
            self._blocks.append(Moments(int(count), mean, variance))
