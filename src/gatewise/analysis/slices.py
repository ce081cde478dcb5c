"""Metrics by slice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from gatewise.analysis.cuts import Cut
from gatewise.errors import DeclarationError, did_you_mean, shown
from gatewise.metrics import GroupMetric, Metric
from gatewise.tasks import Predicted, Task


class Slice(NamedTuple):
    """An output's metrics in a slice.

    Attributes:
        column: the column of the slices.
        value: the name of the slice.
        rows: the number of labelled rows.
        metrics: every metric by name; None: undefined.
    """

    column: str
    value: str
    rows: int
    metrics: dict[str, float | None]


def slices(predicted: Predicted, cuts: Sequence[Cut], metrics: Collection[str] | None = None) -> dict[str, list[Slice]]:
    """Return the metrics of every slice, by output, equal to those of evaluating only the slice's rows.

    Args:
        predicted: rows with predictions and labels.
        cuts: slices of the rows.
        metrics: names of metrics; all by default.

    Raises:
        DeclarationError: a metric is unknown.
    """
    check_metrics(metrics, predicted.tasks)
    found: dict[str, list[Slice]] = {output: [] for output in predicted.judged()}
    for column, value, chosen in cuts:
        part = predicted.rows(chosen)
        values = part.evaluate()
        for output, judged in part.judged().items():
            rows = int((~judged.labels.isnan()).sum())
            wanted = {name: found for name, found in values[output].items() if metrics is None or name in metrics}
            found[output].append(Slice(str(column), str(value), rows, wanted))
    return found


def worst(metric: Metric | GroupMetric, found: Sequence[Slice]) -> Slice | None:
    """Return the slice where a metric is worst; None if all are equal, or the metric has no better direction."""
    values = {part: value for part in range(len(found)) if (value := found[part].metrics.get(metric.name)) is not None}
    if len(set(values.values())) < 2 or metric.greater_is_better is None:
        return None
    return found[(min if metric.greater_is_better else max)(values, key=values.__getitem__)]


def check_metrics(names: Collection[str] | None, tasks: Sequence[Task]) -> None:
    """Refuse names of metrics that no task has.

    Raises:
        DeclarationError: suggests the nearest name.
    """
    known = {name for task in tasks for output in task.outputs for name in metrics_by_name(task, output)}
    for name in names or ():
        if name not in known:
            hint = did_you_mean(name, known) or f" (metrics: {shown(sorted(known), 20)})"
            raise DeclarationError(f"no task has a metric {name!r}{hint}")


def metrics_by_name(task: Task, output: str) -> dict[str, Metric | GroupMetric]:
    """Return the metrics of an output, by name."""
    metrics: list[Metric | GroupMetric] = [*task.metrics_of(output), *task.group_metrics]
    return {metric.name: metric for metric in metrics}
