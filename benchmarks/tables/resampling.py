"""How far a difference of two contestants is chance: the test rows are drawn anew, for all contestants alike.

:func:`gatewise.metrics.bootstrap_mean_difference` says the same of two approaches. Here a resample's metric is computed
once per contestant, not once per pair, and for many resamples at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

SAMPLES, LEVEL, SEED = 300, 0.95, 2026
AT_ONCE = 2_000_000
"""Rows times resamples that are held in memory at a time."""

Measure = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""``measure(labels [row], predictions [row], counts [row, sample])``: the metric per resample, NaN if undefined."""


class Difference(NamedTuple):
    """A contestant's mean metric less the reference's, with the interval over resamples."""

    change: float
    low: float
    high: float

    @property
    def level(self) -> bool:
        """Whether the interval reaches 0 or lies above: the rows do not show that the contestant is worse."""
        return self.high >= 0

    @property
    def above(self) -> bool:
        """Whether the mean is above the reference's, by however little."""
        return self.change > 0

    @property
    def clear(self) -> int:
        """1: clearly above, -1: clearly below, 0: the interval holds 0."""
        return int(self.low > 0) - int(self.high < 0)


def draws(rows: int, samples: int = SAMPLES, seed: int = SEED) -> np.ndarray:
    """Return how often every resample holds each row, ``[row, sample]``, so that rows are sorted as wholes."""
    generator = np.random.default_rng(seed)
    drawn = (np.bincount(generator.integers(rows, size=rows), minlength=rows) for _ in range(samples))
    return np.stack([counts.astype(np.uint8) for counts in drawn], axis=1)


def resampled(metric: str, labels: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return a metric of every resample, ``[sample]``, NaN where it is undefined."""
    labels, predictions = labels.astype(np.float64), predictions.astype(np.float64)
    step = max(1, AT_ONCE // max(len(labels), 1))
    parts = [counts[:, start : start + step] for start in range(0, counts.shape[1], step)]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.concatenate([MEASURES[metric](labels, predictions, part.astype(np.float64)) for part in parts])


def difference(ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray], change: float) -> Difference:
    """Return the difference of two contestants from their seeds' metrics of the same resamples, each ``[sample]``."""
    found = np.mean(ours, axis=0) - np.mean(theirs, axis=0)
    defined = found[~np.isnan(found)]
    if not len(defined):
        return Difference(change, change, change)
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Difference(change, float(low), float(high))


def _auc(labels: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the share of pairs of a 1 and a 0 in which the 1 has the higher prediction; ties count half."""
    ones = labels > 0
    drawn, total = counts[ones], counts.sum(axis=0)
    positive = drawn.sum(axis=0)
    ranks = (_ranks(predictions, counts, ones) + 0.5) * total  # among all rows, ones among them
    pairs = positive * (total - positive)
    return np.where(pairs > 0, ((drawn * ranks).sum(axis=0) - positive**2 / 2) / pairs, np.nan)


def _r2(labels: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    centred, total = labels - labels.mean(), counts.sum(axis=0)
    spread = centred**2 @ counts - (centred @ counts) ** 2 / total
    return np.where(spread > 1e-12 * total, 1 - (labels - predictions) ** 2 @ counts / spread, np.nan)


def _gini(labels: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    weighted = counts * (labels[:, None] - labels @ counts / counts.sum(axis=0))
    best = (weighted * _ranks(labels, counts)).sum(axis=0)
    reached = (weighted * _ranks(predictions, counts)).sum(axis=0)
    return np.where(best > 1e-9, reached / best, np.nan)


def _spearman(labels: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    ours, theirs = _ranks(labels, counts), _ranks(predictions, counts)
    spread = (counts * ours**2).sum(axis=0) * (counts * theirs**2).sum(axis=0)
    return np.where(spread > 1e-9, (counts * ours * theirs).sum(axis=0) / np.sqrt(spread), np.nan)


def _sorted(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the order of rows by rising score, and where in it every block of equal scores starts."""
    order = np.argsort(scores, kind="stable")
    return order, np.flatnonzero(np.diff(scores[order], prepend=np.nan) != 0)


def _ranks(scores: np.ndarray, counts: np.ndarray, chosen: Any = slice(None)) -> np.ndarray:
    """Return for chosen rows the share of lower scores and half that of equal ones, less a half; ``[row, sample]``."""
    order, starts = _sorted(scores)
    tied = np.add.reduceat(counts[order], starts, axis=0)  # [block, sample]
    below = (tied.cumsum(axis=0) - tied / 2) / counts.sum(axis=0) - 0.5
    block = np.empty(len(scores), np.int64)
    block[order] = np.repeat(np.arange(len(starts)), np.diff(starts, append=len(scores)))
    return below[block[chosen]]


MEASURES: dict[str, Measure] = {"auc": _auc, "gini": _gini, "r2": _r2, "spearman": _spearman}
