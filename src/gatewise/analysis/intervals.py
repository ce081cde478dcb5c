"""Metrics with the interval in which they may lie by chance."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.analysis.slices import check_metrics, metrics_by_name
from gatewise.errors import DeclarationError
from gatewise.metrics import GroupMetric, Interval, Metric, bootstrap_interval
from gatewise.tasks import Judged, Predicted


class Estimate(NamedTuple):
    """A metric and its bootstrap interval.

    Attributes:
        value: the metric over all rows; None where it is undefined.
        low, high: ends of the interval; None where every resample is undefined.
        level: how likely such an interval is meant to hold the true value.
        samples: how many resamples were drawn.
        undefined: in how many of them the metric was undefined; these are left out.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    samples: int
    undefined: int


Estimates = dict[str, dict[str, Estimate]]
"""For each output, by its name, every metric by name."""


def intervals(
    predicted: Predicted,
    metrics: Collection[str] | None = None,
    *,
    by_group: bool = False,
    samples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimates:
    """Return every output's metrics with bootstrap intervals.

    Args:
        predicted: rows with predictions and labels.
        metrics: names of the metrics wanted; all by default.
        by_group: draw whole groups, whose rows are not independent, such as those of a user; rows of no group are
            drawn one by one. Metrics within groups always draw groups.
        samples: how many resamples.
        level: how likely the interval is meant to hold the true value.
        seed: of the draws, the same for all metrics.

    Raises:
        DeclarationError: no such metric, or groups are wanted where there are none.
        ShapeError: ``samples`` is no positive whole number, or ``level`` not between 0 and 1.
    """
    if by_group and predicted.groups is None:
        raise DeclarationError("intervals by group: the schema has no 'group'")
    check_metrics(metrics, predicted.tasks)
    judged, values = predicted.judged(), predicted.evaluate()
    found: Estimates = {}
    for output, rows in judged.items():
        found[output] = {}
        for name, metric in metrics_by_name(rows.task, output).items():
            if name in values[output] and (metrics is None or name in metrics):
                interval = _interval(metric, rows, predicted.groups, by_group, samples, level, seed)
                found[output][name] = Estimate(values[output][name], *interval)
    return found


def _interval(
    metric: Metric | GroupMetric,
    rows: Judged,
    groups: Tensor | None,
    by_group: bool,
    samples: int,
    level: float,
    seed: int,
) -> Interval:
    known = ~rows.labels.isnan()
    within = isinstance(metric, GroupMetric)
    if within:
        assert groups is not None
        known &= groups >= 0
    columns = [rows.labels[known], rows.predictions[known]]
    drawn = drawn_together(groups[known]) if groups is not None and (within or by_group) else None
    if within and drawn is not None:
        columns.append(drawn)
    return bootstrap_interval(metric.compute, *columns, groups=drawn, samples=samples, level=level, seed=seed)


def drawn_together(groups: Tensor) -> Tensor:
    """Return groups in which a row of no group is one of its own; both ``[row]``."""
    alone = -1 - torch.arange(len(groups))
    return torch.where(groups < 0, alone, groups)
