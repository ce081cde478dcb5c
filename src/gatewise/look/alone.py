"""How well one column alone tells a label: what it learns from half of the rows is judged on the other half."""

from __future__ import annotations

import numpy as np

from gatewise.look.measured import Measured

BINS = 64
SMOOTHING = 5.0
"""Rows with the label's mean that every value is given beside its own."""


def cells(measured: Measured) -> np.ndarray:
    """Return ``[row]`` cells: one per value, or per quantile of numbers with many values; null has its own."""
    codes = measured.codes
    if measured.numbers is not None and measured.column.distinct > BINS:
        known = measured.numbers[~np.isnan(measured.numbers)]
        edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))
        # the value that most rows have is a cell of its own
        codes = np.searchsorted(
            np.unique(np.append(edges, np.nextafter(edges, np.inf))), measured.numbers, side="right"
        )
        codes = np.where(np.isnan(measured.numbers), -1, codes)
    return codes + 1


def auc_alone(cell: np.ndarray, target: np.ndarray) -> float | None:
    """Return the AUC of a label by one column's cells; None where a half lacks a class.

    Args:
        cell: ``[row]``.
        target: ``[row]``, 0 and 1; NaN for no label.
    """
    found = [_auc(learnt, judged) for learnt, judged in _halves(cell, target)]
    known = [auc for auc in found if auc is not None]
    return float(np.mean(known)) if len(known) == 2 else None


def r2_alone(cell: np.ndarray, target: np.ndarray) -> float | None:
    """Return the share of a label's variance that one column's cells explain; None where there is no variance."""
    found = []
    for learnt, judged in _halves(cell, target):
        means = _means(*learnt, len_of(cell))
        error = judged[1] - means[judged[0]]
        total = ((judged[1] - judged[1].mean()) ** 2).sum() if len(judged[1]) else 0.0
        if total <= 0:
            return None
        found.append(1 - float((error**2).sum() / total))
    return float(np.mean(found))


def len_of(cell: np.ndarray) -> int:
    """Return the number of cells."""
    return int(cell.max(initial=0)) + 1


Half = tuple[np.ndarray, np.ndarray]


def _halves(cell: np.ndarray, target: np.ndarray) -> list[tuple[Half, Half]]:
    """Return the labelled rows, cut in halves at random, each half once to learn from and once to judge on."""
    known = np.flatnonzero(~np.isnan(target))
    first = np.random.default_rng(0).random(len(known)) < 0.5
    one, other = known[first], known[~first]
    halves = (cell[one], target[one]), (cell[other], target[other])
    return [(halves[0], halves[1]), (halves[1], halves[0])]


def _means(cell: np.ndarray, target: np.ndarray, count: int) -> np.ndarray:
    """Return the mean label of every cell, drawn to the mean of all."""
    prior = target.mean() if len(target) else 0.0
    rows = np.bincount(cell, minlength=count)
    sums = np.bincount(cell, weights=target, minlength=count)
    means: np.ndarray = (sums + SMOOTHING * prior) / (rows + SMOOTHING)
    return means


def _auc(learnt: Half, judged: Half) -> float | None:
    count = int(max(learnt[0].max(initial=0), judged[0].max(initial=0))) + 1
    scores = _means(*learnt, count)
    ones = np.bincount(judged[0], weights=judged[1], minlength=count)
    zeros = np.bincount(judged[0], minlength=count) - ones
    if not ones.sum() or not zeros.sum():
        return None
    # cells of one score are tied: they count by half
    _, place = np.unique(scores, return_inverse=True)
    ones, zeros = np.bincount(place, weights=ones), np.bincount(place, weights=zeros)
    below = np.cumsum(zeros) - zeros
    return float((ones * (below + zeros / 2)).sum() / (ones.sum() * zeros.sum()))


def ranks(values: np.ndarray) -> np.ndarray:
    """Return ``[row]`` ranks in [0, 1], equal values at their mean rank, NaN where there is no value."""
    known = ~np.isnan(values)
    _, place, counts = np.unique(values[known], return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts + 1) / 2
    found = np.full(len(values), np.nan)
    found[known] = middle[place] / max(known.sum() - 1, 1)
    return found
