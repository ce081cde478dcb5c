"""The slices that a model predicts worst, with intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.analysis.cuts import Cut
from gatewise.analysis.reliability import wilson
from gatewise.analysis.slices import Slice
from gatewise.analysis.verdicts import summary_of
from gatewise.metrics import LOG_LOSS, PCOC, Metric, bootstrap_interval
from gatewise.tasks import BinaryTask, Judged, Predicted

LEAST_ROWS, LEAST_SHARE = 50, 0.01
"""Least rows, and least share of the rows, of a worst slice: smaller slices may be worst by chance."""
Z = 1.959964
"""Half the width of an interval of 95%, in standard errors."""


class Ranged(NamedTuple):
    """A number with the ends of its interval of 95%; None: undefined."""

    value: float | None
    low: float | None
    high: float | None


class WorstSlice(NamedTuple):
    """A slice in which an output is predicted badly.

    Attributes:
        column: the column of the slices.
        value: the name of the slice.
        rows: the number of labelled rows.
        metrics: the summary metric; of a probability also the log loss, and prediction by share of ones.
    """

    column: str
    value: str
    rows: int
    metrics: dict[str, Ranged]


def is_large(part: Slice, labelled: int) -> bool:
    """Return whether a slice has enough labelled rows to be judged."""
    return part.rows >= max(LEAST_ROWS, LEAST_SHARE * labelled)


def worst_slices(
    predicted: Predicted,
    cuts: Sequence[Cut],
    found: Mapping[str, Sequence[Slice]],
    *,
    limit: int = 10,
    samples: int = 40,
    seed: int = 0,
) -> dict[str, list[WorstSlice]]:
    """Return the slices in which every output is predicted worst, with intervals of 95%.

    An output is judged by its summary metric. Of a probability, half of the slices are those in which the mean
    prediction is farthest from the share of ones, in standard errors: AUC within a slice of a strong feature is lower
    than over all rows even where the model is right, because rows in it are alike.

    Args:
        predicted: rows with predictions and labels.
        cuts: slices of the rows.
        found: the metrics of these slices, in the same order.
        limit: the largest number of slices per output.
        samples: the number of resamples for the interval of the summary metric; those of others have closed forms.
        seed: of the resamples.
    """
    judged, worst = predicted.judged(), {}
    for output, parts in found.items():
        rows = judged[output]
        labelled = int((~rows.labels.isnan()).sum())
        large = [k for k, part in enumerate(parts) if is_large(part, labelled)]
        metric = summary_of(rows.task, output)
        chosen = _chosen(rows, metric, parts, cuts, large, limit)
        worst[output] = [_ranged(rows, metric, parts[k], cuts[k], samples, seed) for k in chosen]
    return worst


def _chosen(
    rows: Judged, metric: Metric, parts: Sequence[Slice], cuts: Sequence[Cut], large: Sequence[int], limit: int
) -> list[int]:
    known = [k for k in large if parts[k].metrics.get(metric.name) is not None]
    sign = 1 if metric.greater_is_better else -1
    by_metric = sorted(known, key=lambda k: sign * (parts[k].metrics[metric.name] or 0.0))
    if not isinstance(rows.task, BinaryTask):
        return by_metric[:limit]
    off = sorted(large, key=lambda k: -_standard_errors_off(rows, cuts[k]))
    in_turn = dict.fromkeys(k for pair in zip(off, by_metric, strict=False) for k in pair)
    return list(in_turn)[:limit]


def _standard_errors_off(rows: Judged, cut: Cut) -> float:
    """Return how far the predicted number of ones is from the number that came, in standard errors."""
    labels, predictions, weights = _known(rows, cut)
    spread = float((weights.square() * predictions * (1 - predictions)).sum().sqrt())
    return abs(float((labels - predictions) @ weights)) / spread if spread > 0 else 0.0


def _ranged(rows: Judged, metric: Metric, part: Slice, cut: Cut, samples: int, seed: int) -> WorstSlice:
    labels, predictions, weights = _known(rows, cut)
    counted = None if rows.weights is None else weights
    interval = bootstrap_interval(metric.compute, labels, predictions, weights=counted, samples=samples, seed=seed)
    ranged = {metric.name: Ranged(part.metrics.get(metric.name), interval.low, interval.high)}
    if isinstance(rows.task, BinaryTask):
        losses = -(labels * predictions.log().clamp(min=-100) + (1 - labels) * (-predictions).log1p().clamp(min=-100))
        shares = weights / weights.sum()
        # the number of equally weighted rows that tell as much
        size = 1 / float(shares.square().sum())
        mean = float(losses @ shares)
        reach = Z * math.sqrt(float((losses - mean).square() @ shares) / size)
        ranged[LOG_LOSS.name] = Ranged(mean, mean - reach, mean + reach)
        share, prediction = float(labels @ shares), float(predictions @ shares)
        low, high = wilson(share, size, Z)
        ends = (prediction / high, prediction / low if low > 0 else None)
        ranged[PCOC.name] = Ranged(prediction / share if share else None, *ends)
    return WorstSlice(part.column, part.value, part.rows, ranged)


def _known(rows: Judged, cut: Cut) -> tuple[Tensor, Tensor, Tensor]:
    """Return labels, predictions and weights of the labelled rows of a slice."""
    labels, predictions = rows.labels[cut.rows], rows.predictions[cut.rows]
    known = ~labels.isnan()
    weights = torch.ones_like(labels) if rows.weights is None else rows.weights[cut.rows]
    return labels[known].double(), predictions[known], weights[known].double()
