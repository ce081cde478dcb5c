"""What the losses of many seeds come to."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass

from setting import Setting

FAILED = 0.2
NORMAL = 1.96
Results = Mapping[Setting, list[float]]


@dataclass(frozen=True)
class Summary:
    """The final losses of the seeds of one setting."""

    losses: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Their mean."""
        return statistics.mean(self.losses)

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return statistics.stdev(self.losses) / len(self.losses) ** 0.5

    @property
    def failed(self) -> int:
        """How many are above ``FAILED``."""
        return sum(loss > FAILED for loss in self.losses)

    @property
    def share(self) -> float:
        """The share that failed, in percent."""
        return 100 * self.failed / len(self.losses)

    @property
    def interval(self) -> tuple[float, float]:
        r"""Wilson's interval of the share, in percent.

        .. math:: \frac{p + z^2 / 2n \pm z \sqrt{p (1 - p) / n + z^2 / 4 n^2}}{1 + z^2 / n}, \quad z = 1.96
        """
        n, p, z = len(self.losses), self.share / 100, NORMAL
        middle, half = p + z**2 / (2 * n), z * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5
        low, high = (100 * (middle + side * half) / (1 + z**2 / n) for side in (-1, 1))
        return max(low, 0.0), high

    def below(self, other: Summary) -> bool:
        """Whether the mean is lower by more than both standard errors together."""
        return other.mean - self.mean > self.error + other.error


def summed_up(setting: Setting, results: Results) -> Summary | None:
    """Return the summary of all parts of a setting that were run; None where there are none."""
    losses = tuple(loss for part in setting.parts for loss in results.get(part, ()))
    return Summary(losses) if losses else None
