"""Metrics by slice."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from gatewise.analysis.cuts import Cut
from gatewise.errors import DeclarationError, did_you_mean, shown
from gatewise.metrics import GroupMetric, Metric
from gatewise.tasks import Judged, Metrics, Predicted, Task


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
        judged = part.judged()
        values = _values(part, judged, metrics)
        for output, rows in judged.items():
            labelled = int((~rows.labels.isnan()).sum())
            found[output].append(Slice(str(column), str(value), labelled, values[output]))
    return found


def _values(part: Predicted, judged: Mapping[str, Judged], names: Collection[str] | None) -> Metrics:
    """Return every output's metrics of these names; all by default."""
    alone = {name for rows in judged.values() for name in names_without_groups(rows.task)}
    if names is None or not set(names) <= alone:
        # metrics within groups come with the number of groups that were skipped
        return {
            output: {name: value for name, value in values.items() if names is None or name in names}
            for output, values in part.evaluate().items()
        }
    found: Metrics = {}
    for output, rows in judged.items():
        known = ~rows.labels.isnan()
        labels, predictions = rows.labels[known], rows.predictions[known]
        wanted = [metric for metric in rows.task.metrics_of(output) if metric.name in names]
        beside = rows.counted(known)
        found[output] = {metric.name: metric.compute(labels, predictions, **beside) for metric in wanted}
    return found


def names_without_groups(task: Task) -> set[str]:
    """Return the names of a task's metrics that need no groups."""
    return {metric.name for output in task.outputs for metric in task.metrics_of(output)}


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
