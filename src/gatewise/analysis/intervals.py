"""Bootstrap intervals of metrics."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import torch
from torch import Tensor

from gatewise.analysis.slices import check_metrics, metrics_by_name
from gatewise.errors import DeclarationError
from gatewise.metrics import GroupMetric, Interval, Metric, bootstrap_interval
from gatewise.tasks import Judged, Predicted


class Estimate(NamedTuple):
    """A metric and its bootstrap interval.

    Attributes:
        value: the metric over all rows; None: undefined.
        low, high: ends of the interval; None: undefined in every resample.
        level: the probability with which an interval should hold the true value.
        samples: the number of resamples.
        undefined: the number of resamples in which the metric is undefined; these are left out.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    samples: int
    undefined: int


Estimates = dict[str, dict[str, Estimate]]
"""Every metric by name, for every output by name."""


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
        metrics: names of metrics; all by default.
        by_group: draw whole groups, for groups of dependent rows, such as those of a user; rows without a group are
            drawn one by one. Metrics within groups always draw groups.
        samples: the number of resamples.
        level: the probability with which an interval should hold the true value.
        seed: of the draws, which are equal for all metrics.

    Raises:
        DeclarationError: a metric is unknown, or there are no groups to draw.
        ShapeError: ``samples`` is not a positive whole number, or ``level`` is not between 0 and 1.
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
    how: dict[str, Any] = {"samples": samples, "level": level, "seed": seed, **rows.counted(known)}
    return bootstrap_interval(metric.compute, *columns, groups=drawn, **how)


def drawn_together(groups: Tensor) -> Tensor:
    """Return groups in which a row without a group is a group of its own; both ``[row]``."""
    alone = -1 - torch.arange(len(groups))
    return torch.where(groups < 0, alone, groups)
