"""How far a difference of two contestants is chance: the test rows are drawn anew, for all contestants alike.

:func:`gatewise.metrics.bootstrap_mean_difference` says the same of two approaches. Here a resample's metric is computed
once per contestant, not once per pair, and for many resamples at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

SAMPLES, LEVEL, SEED = 300, 0.95, 2026
AT_ONCE = 2_000_000
"""Rows times resamples that are held in memory at a time."""

Measure = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""``measure(labels [row], predictions [row], counts [sample, row])``: the metric per resample, NaN if undefined."""


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
    """Return how often every resample holds each row, ``[sample, row]``."""
    generator = np.random.default_rng(seed)
    drawn = (np.bincount(generator.integers(rows, size=rows), minlength=rows) for _ in range(samples))
    return np.stack([counts.astype(np.uint8) for counts in drawn])


def resampled(metric: str, labels: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return a metric of every resample, ``[sample]``, NaN where it is undefined."""
    labels, predictions = labels.astype(np.float64), predictions.astype(np.float64)
    step = max(1, AT_ONCE // max(len(labels), 1))
    parts = [counts[start : start + step].astype(np.float64) for start in range(0, len(counts), step)]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.concatenate([MEASURES[metric](labels, predictions, part) for part in parts])


def difference(ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray], change: float) -> Difference:
    """Return the difference of two contestants from their seeds' metrics of the same resamples, each ``[sample]``."""
    found = np.mean(ours, axis=0) - np.mean(theirs, axis=0)
    defined = found[~np.isnan(found)]
    if not len(defined):
        return Difference(change, change, change)
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Difference(change, float(low), float(high))


def _r2(labels: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    centred, total = labels - labels.mean(), counts.sum(axis=1)
    spread = counts @ centred**2 - (counts @ centred) ** 2 / total
    return np.where(spread > 1e-12 * total, 1 - counts @ (labels - predictions) ** 2 / spread, np.nan)


def _gini(labels: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    weights = counts / counts.sum(axis=1, keepdims=True)
    weighted = weights * (labels - (weights @ labels)[:, None])
    best = (weighted * _ranks(labels, weights)).sum(axis=1)
    reached = (weighted * _ranks(predictions, weights)).sum(axis=1)
    return np.where(best > 1e-15, reached / best, np.nan)


def _auc(labels: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return (_gini(labels, predictions, counts) + 1) / 2


def _spearman(labels: np.ndarray, predictions: np.ndarray, counts: np.ndarray) -> np.ndarray:
    weights = counts / counts.sum(axis=1, keepdims=True)
    ours, theirs = _ranks(labels, weights), _ranks(predictions, weights)
    spread = (weights * ours**2).sum(axis=1) * (weights * theirs**2).sum(axis=1)
    return np.where(spread > 1e-15, (weights * ours * theirs).sum(axis=1) / np.sqrt(spread), np.nan)


def _ranks(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return for each row the weight of lower scores and half that of equal ones, less a half; ``[sample, row]``."""
    _, block = np.unique(scores, return_inverse=True)
    order = np.argsort(block, kind="stable")
    starts = np.flatnonzero(np.diff(block[order], prepend=-1))
    tied = np.add.reduceat(weights[:, order], starts, axis=1)  # [sample, block]
    return (tied.cumsum(axis=1) - tied / 2 - 0.5)[:, block]


MEASURES: dict[str, Measure] = {"auc": _auc, "gini": _gini, "r2": _r2, "spearman": _spearman}
