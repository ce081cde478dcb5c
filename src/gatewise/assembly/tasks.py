"""From declared tasks to the kinds that know link, loss and metrics."""

from __future__ import annotations

from collections.abc import Mapping

from gatewise import declare
from gatewise.data import LabelStatistics
from gatewise.tasks import BinaryTask, RegressionTask, Task

UNKNOWN = LabelStatistics(mean=0.5, std=1.0)


def build_tasks(schema: declare.Schema, labels: Mapping[str, LabelStatistics] | None = None) -> list[Task]:
    """Return one task object a declared task, with the statistics of its training labels once they are known."""
    return [_build(task, (labels or {}).get(task.name, UNKNOWN)) for task in schema.tasks]


def _build(task: declare.Task, statistics: LabelStatistics) -> Task:
    match task:
        case declare.Binary():
            return BinaryTask(task.name, task.weight, rate=statistics.mean)
        case declare.Regression():
            return RegressionTask(task.name, task.weight, mean=statistics.mean, std=statistics.std)
