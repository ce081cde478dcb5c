"""From declared tasks to the kinds that know link, loss and metrics."""

from __future__ import annotations

from gatewise import declare
from gatewise.data import TableEncoder
from gatewise.tasks import BinaryTask, RegressionTask, Task


def build_tasks(encoder: TableEncoder) -> list[Task]:
    """Return one task object a declared task, with the statistics of its training labels."""
    return [_build(task, encoder) for task in encoder.schema.tasks]


def _build(task: declare.Task, encoder: TableEncoder) -> Task:
    statistics = encoder.labels[task.name]
    match task:
        case declare.Binary():
            return BinaryTask(task.name, task.weight, rate=statistics.mean)
        case declare.Regression():
            return RegressionTask(task.name, task.weight, mean=statistics.mean, std=statistics.std)
