"""Reliability: mean prediction and share of ones, in bins of similar predictions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

from gatewise.analysis.cuts import Cut
from gatewise.metrics import decile_table
from gatewise.tasks import BinaryTask, Judged, Predicted

FEW = 20
"""Rows below which a bin joins its neighbour, where the bins hold twice as many on average."""


Part = tuple[float, float, float]


class ReliabilityBin(NamedTuple):
    """A bin of rows with similar predictions.

    Attributes:
        column: the column of the slices, None for all rows.
        value: the name of the slice, None for all rows.
        rows: the number of labelled rows.
        prediction: the mean prediction.
        share: the share of ones.
        low, high: Wilson's interval of the share.
    """

    column: str | None
    value: str | None
    rows: int
    prediction: float
    share: float
    low: float
    high: float


def reliability(
    predicted: Predicted, cuts: Sequence[Cut] = (), *, bins: int = 10, level: float = 0.95
) -> dict[str, list[ReliabilityBin]]:
    """Return every probability's bins of equally many rows, from the lowest predictions to the highest.

    Rows of equal prediction share a bin, so there may be fewer bins; a bin that ties leave with few rows joins its
    neighbour, because the share of a handful of rows may be anything. In most bins the mean prediction of a calibrated
    model lies within the interval.

    Args:
        predicted: rows with predictions and labels.
        cuts: slices, each with bins of its own.
        bins: the number of bins.
        level: the probability with which an interval should hold the true share.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    slices = cuts or [Cut(None, None, slice(None))]
    found: dict[str, list[ReliabilityBin]] = {
        output: [] for output, judged in predicted.judged().items() if isinstance(judged.task, BinaryTask)
    }
    for column, value, chosen in slices:
        judged = predicted.rows(chosen).judged()
        for output, parts in found.items():
            parts += [ReliabilityBin(column, value, *part) for part in _parts(judged[output], bins, z)]
    return found


def _parts(judged: Judged, bins: int, z: float) -> list[tuple[int, float, float, float, float]]:
    known = ~judged.labels.isnan()
    table = decile_table(judged.labels[known], judged.predictions[known], bins=bins, **judged.counted(known))
    parts = [(part.rows, part.prediction, part.target) for part in reversed(table)]
    merged = without_small(parts, min(FEW, int(known.sum()) / (2 * bins)))
    return [(round(rows), prediction, share, *wilson(share, rows, z)) for rows, prediction, share in merged]


def without_small(parts: Sequence[Part], least: float) -> list[Part]:
    """Return parts (rows, mean prediction, share of ones) in order; one of fewer rows than ``least`` joins a neighbour.

    Example:
        >>> without_small([(60.0, 0.25, 0.5), (20.0, 0.25, 0.5), (4.0, 0.25, 0.5)], 20)
        [(60.0, 0.25, 0.5), (24.0, 0.25, 0.5)]
    """
    merged: list[Part] = []
    for part in parts:
        small = merged and (part[0] < least or merged[-1][0] < least)
        merged[-1:] = [_joined(merged[-1], part)] if small else [*merged[-1:], part]
    return merged


def _joined(one: Part, other: Part) -> Part:
    rows = one[0] + other[0]
    prediction, share = ((one[k] * one[0] + other[k] * other[0]) / rows for k in (1, 2))
    return rows, prediction, share


def wilson(share: float, rows: float, z: float) -> tuple[float, float]:
    r"""Return Wilson's interval of a share.

    .. math::
        \frac{1}{1 + z^2 / n} \left(s + \frac{z^2}{2 n} \pm z \sqrt{\frac{s (1 - s)}{n} + \frac{z^2}{4 n^2}}\right)

    Wilson's interval lies within 0 and 1, and is right for small shares, unlike a symmetric interval.

    Args:
        share: s, the observed share.
        rows: n, the number of rows.
        z: the half-width in standard deviations of a normal distribution.
    """
    centre = share + z * z / (2 * rows)
    reach = z * math.sqrt(share * (1 - share) / rows + z * z / (4 * rows * rows))
    scale = 1 + z * z / rows
    return max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale)
