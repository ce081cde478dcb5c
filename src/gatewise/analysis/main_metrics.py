"""The main metric of each output."""

from __future__ import annotations

from collections.abc import Sequence

from gatewise.analysis.slices import check_metrics, metrics_by_name
from gatewise.analysis.verdicts import summary_of
from gatewise.metrics import GroupMetric, Metric
from gatewise.tasks import Judged, Predicted, Task

AnyMetric = Metric | GroupMetric


def main_metrics(tasks: Sequence[Task], name: str | None = None) -> dict[str, AnyMetric]:
    """Return, per output, the metric of a name if the output has it, else its summary metric.

    Raises:
        DeclarationError: no output has a metric of this name.
    """
    check_metrics(None if name is None else [name], tasks)
    found: dict[str, AnyMetric] = {}
    for task in tasks:
        for output in task.outputs:
            found[output] = metrics_by_name(task, output).get(name or "", summary_of(task, output))
    return found


def metric_values(predicted: Predicted, metrics: dict[str, AnyMetric]) -> dict[str, float | None]:
    """Return the metric of every output over the output's own sample; None: undefined."""
    judged = predicted.judged()
    return {output: _value(metric, judged[output], predicted) for output, metric in metrics.items()}


def _value(metric: AnyMetric, judged: Judged, predicted: Predicted) -> float | None:
    known = ~judged.labels.isnan()
    if isinstance(metric, GroupMetric):
        if predicted.groups is None:
            return None
        known &= predicted.groups >= 0
        columns = (judged.labels[known], judged.predictions[known], predicted.groups[known])
        return metric.compute(*columns, **judged.counted(known)).value
    return metric.compute(judged.labels[known], judged.predictions[known], **judged.counted(known))
