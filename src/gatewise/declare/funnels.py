"""The order of tasks in funnels."""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

from gatewise.declare.tasks import Binary, LifetimeValue, Task
from gatewise.errors import did_you_mean
from gatewise.names import given_name, joint_name


def path_to(task: Task, tasks: Mapping[str, Task]) -> list[str]:
    """Return the steps before a task, first step first; empty for a task outside of funnels."""
    path: list[str] = []
    step: Task = task
    while (before := step_before(step)) is not None:
        path.insert(0, before)
        step = tasks[before]
    return path


def step_before(task: Task) -> str | None:
    """Return the step that a task comes after; None for a task outside of funnels, or the first step."""
    return task.after if isinstance(task, (Binary, LifetimeValue)) else None


def outputs_of(task: Task, tasks: Mapping[str, Task]) -> tuple[str, ...]:
    """Return the names of a task's predictions; a step of a funnel has two: given the step before, and joint."""
    path = path_to(task, tasks)
    if not path or not isinstance(task, Binary):
        return task.outputs
    return given_name(task.name, path[-1]), joint_name([*path, task.name])


def check_relations(tasks: Mapping[str, Task]) -> None:
    """Refuse tasks that name unknown tasks, tasks that are not binary, or tasks in a circle.

    Raises:
        ValueError: names the task and the option.
    """
    for task in tasks.values():
        for option in ("within", "after", "through"):
            other = getattr(task, option, None)
            if other is not None:
                _check_named(task, option, other, tasks)
    _check_reads(tasks)
    for task in tasks.values():
        for option in ("within", "after"):
            _check_no_circle(task, option, tasks)
        if isinstance(task, Binary) and task.through is not None:
            beside = tasks[task.through]
            assert isinstance(beside, Binary)
            if beside.after != task.after:
                raise ValueError(
                    f"task {task.name!r}: through {task.through!r} is to come after {task.after!r} too, "
                    f"and comes after {beside.after!r}"
                )


def _check_named(task: Task, option: str, other: str, tasks: Mapping[str, Task]) -> None:
    if other not in tasks:
        raise ValueError(f"task {task.name!r}: {option} {other!r} is no task{did_you_mean(other, tasks)}")
    named = tasks[other]
    if not isinstance(named, Binary):
        raise ValueError(f"task {task.name!r}: {option} {other!r} is no binary task")
    if option != "within" and named.loss == "jrc":
        raise ValueError(f"task {task.name!r}: {option} {other!r} has loss 'jrc', and a step of a funnel has one score")
    if option != "within" and named.late != "wait":
        raise ValueError(
            f"task {task.name!r}: {option} {other!r} has late {named.late!r}, and a step of a funnel waits: declare "
            f"within={other!r} instead of {option}, or late='wait' in task {other!r}"
        )
    if option != "within" and isinstance(named.negatives_kept, str):
        raise ValueError(
            f"task {task.name!r}: {option} {other!r} has a column as negatives_kept, and a step of a funnel has a share"
        )


def _check_reads(tasks: Mapping[str, Task]) -> None:
    for task in tasks.values():
        for other in task.reads:
            if other not in tasks:
                raise ValueError(
                    f"task {task.name!r}: reads {other!r}, which is not a task{did_you_mean(other, tasks)}"
                )
    try:
        graph = TopologicalSorter({task.name: task.reads for task in tasks.values()})
        graph.prepare()
    except CycleError as error:
        circle = " -> ".join(repr(name) for name in reversed(error.args[1]))
        raise ValueError(f"task {error.args[1][0]!r}: reads leads back to itself: {circle}") from None


def _check_no_circle(task: Task, option: str, tasks: Mapping[str, Task]) -> None:
    seen = [task.name]
    while (other := getattr(tasks[seen[-1]], option, None)) is not None:
        if other in seen:
            raise ValueError(f"task {task.name!r}: {option} leads back to {other!r}")
        seen.append(other)
