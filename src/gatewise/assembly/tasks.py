"""From declared tasks to task objects with link, loss and metrics."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gatewise import declare
from gatewise.errors import DeclarationError
from gatewise.metrics import Metric, metric_named
from gatewise.tasks import (
    BinaryTask,
    CountTask,
    DurationTask,
    FunnelTask,
    JointTask,
    LateTask,
    LifetimeValueTask,
    MulticlassTask,
    OrdinalTask,
    RankedBinaryTask,
    RegressionTask,
    Task,
    ValueAfterTask,
    make_registered,
)

Statistics = Mapping[str, Mapping[str, Any]]
"""By task name, the statistics of the training labels."""


def build_tasks(schema: declare.Schema, statistics: Statistics | None = None) -> list[Task]:
    """Return one task object per declared task, with the statistics of its training labels if they are known.

    Raises:
        DeclarationError: a custom kind is not registered, or two tasks predict a column of the same name.
    """
    declared, built = schema.tasks_by_name, dict[str, Any]()

    def build(name: str) -> Any:
        """Return a task; the tasks that it refers to are built first."""
        if name not in built:
            task = declared[name]
            learnt = dict((statistics or {}).get(name, {}))
            built[name] = _build(task, learnt, schema, build)
        return built[name]

    tasks = [build(task.name) for task in schema.tasks]
    for task, each in zip(tasks, schema.tasks, strict=True):
        task.reads = tuple(each.reads)
        if each.metrics:
            task.metrics = (*task.metrics, *map(further_metric, each.metrics))
    _check_columns(tasks)
    return tasks


def further_metric(declared: Any) -> Metric:
    """Return the metric of a name, or that of a registered class under the name of its kind."""
    if isinstance(declared, str):
        return metric_named(declared)
    made = declare.made_of(declared)
    return Metric(declared.kind, made, made.greater_is_better)


def _check_columns(tasks: list[Task]) -> None:
    owners: dict[str, str] = {}
    for task in tasks:
        for column in task.columns:
            if column in owners:
                raise DeclarationError(f"tasks {owners[column]!r} and {task.name!r} both predict {column!r}")
            owners[column] = task.name


def _build(task: declare.Task, learnt: dict[str, Any], schema: declare.Schema, other: Callable[[str], Any]) -> Task:
    grouped = schema.group is not None
    if isinstance(task, declare.Binary) and task.after is not None:
        before = [other(name) for name in declare.path_to(task, schema.tasks_by_name)]
        through = None if task.through is None else other(task.through)
        options: dict[str, Any] = {"weight": task.weight, "learn": task.learn, "clip": task.clip, "grouped": grouped}
        options |= _kept(task) | {"waits": _waits(task, schema)}
        return FunnelTask(task.name, after=before, through=through, **options, **learnt)
    common: dict[str, Any] = {"weight": task.weight, "within": task.within, **learnt}
    match task:
        case declare.Binary(ranking=str()):
            ranking: dict[str, Any] = {"ranking": task.ranking, "ranking_weight": task.ranking_weight}
            return RankedBinaryTask(task.name, focal=task.focal, **ranking, **common, **_kept(task))
        case declare.Binary(loss="jrc"):
            return JointTask(
                task.name, calibration_share=task.calibration_share, grouped=grouped, **common, **_kept(task)
            )
        case declare.Binary(late="delayed_feedback" | "importance"):
            return LateTask(task.name, late=task.late, grouped=grouped, **common)
        case declare.Binary():
            return BinaryTask(task.name, focal=task.focal, grouped=grouped, **common, **_kept(task))
        case declare.Regression():
            return RegressionTask(task.name, loss=task.loss, delta=task.delta, quantile=task.quantile, **common)
        case declare.Multiclass():
            return MulticlassTask(task.name, **common)
        case declare.Ordinal():
            return OrdinalTask(task.name, **common)
        case declare.Count():
            return CountTask(task.name, loss=task.loss, power=task.power, **common)
        case declare.LifetimeValue(after=str()):
            before = [other(name) for name in declare.path_to(task, schema.tasks_by_name)]
            return ValueAfterTask(task.name, weight=task.weight, after=before, waits=_waits(task, schema), **learnt)
        case declare.LifetimeValue():
            return LifetimeValueTask(task.name, **common)
        case declare.Duration():
            return DurationTask(task.name, limited=task.limit is not None, unit=task.unit, **common)
        case declare.Custom():
            return make_registered(task.by, task.name, **{"mean": 0.0, "std": 1.0, **common, **task.options})
        case _:
            made: Task = declare.made_of(task, **{"mean": 0.0, "std": 1.0, **common})
            return made


def _kept(task: declare.Binary) -> dict[str, Any]:
    """Return what a binary task needs to know of negatives that were dropped."""
    kept = task.negatives_kept
    return {} if kept is None else {"kept": "column" if isinstance(kept, str) else kept}


def _waits(task: declare.Task, schema: declare.Schema) -> bool:
    """Whether labels of a step, or of a step before it, become final after a delay."""
    tasks = schema.tasks_by_name
    return any(tasks[name].delay is not None for name in (*declare.path_to(task, tasks), task.name))
