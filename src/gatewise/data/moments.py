"""Mean and standard deviation of numbers that come in pieces."""

from __future__ import annotations

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
