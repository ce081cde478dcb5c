"""From declared tasks to the kinds that know link, loss and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gatewise import declare
from gatewise.tasks import BinaryTask, FunnelTask, RankedBinaryTask, RegressionTask, Task

Statistics = Mapping[str, Mapping[str, Any]]
"""For each task what was learnt of its training labels."""


def build_tasks(schema: declare.Schema, statistics: Statistics | None = None) -> list[Task]:
    """Return one task object a declared task, with the statistics of its training labels once they are known."""
    declared, built = schema.tasks_by_name, dict[str, Any]()

    def build(name: str) -> Any:
        """Build a task after those that it refers to."""
        if name not in built:
            task = declared[name]
            learnt = dict((statistics or {}).get(name, {}))
            built[name] = _build(task, learnt, schema, build)
        return built[name]

    return [build(task.name) for task in schema.tasks]


def _build(task: declare.Task, learnt: dict[str, Any], schema: declare.Schema, other: Callable[[str], Any]) -> Task:
    options: dict[str, Any] = {"weight": task.weight, **learnt}
    grouped = schema.group is not None
    match task:
        case declare.Binary(after=str()):
            before = [other(name) for name in declare.path_to(task, schema.tasks_by_name)]
            through = None if task.through is None else other(task.through)
            options |= {"learn": task.learn, "clip": task.clip, "grouped": grouped}
            return FunnelTask(task.name, after=before, through=through, **options)
        case declare.Binary(ranking=str()):
            options |= {"within": task.within, "focal": task.focal}
            options |= {"ranking": task.ranking, "ranking_weight": task.ranking_weight}
            return RankedBinaryTask(task.name, **options)
        case declare.Binary():
            return BinaryTask(task.name, within=task.within, focal=task.focal, grouped=grouped, **options)
        case declare.Regression():
            return RegressionTask(task.name, within=task.within, **options)
