"""Samples of tasks that depend on another task's label, and contradicting labels of funnels."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from gatewise.data.absorbed import State
from gatewise.declare import Binary, LifetimeValue, Schema, Task, path_to
from gatewise.errors import GatewiseWarning, TableError

Labels = dict[str, np.ndarray]
"""By task name, the labels ``[row, column]``."""


def in_samples(schema: Schema, labels: Mapping[str, np.ndarray]) -> Labels:
    """Return labels with NaN outside each task's sample; a step's sample is the rows that took the step before."""
    tasks = schema.tasks_by_name
    kept = {}
    for task in schema.tasks:
        conditions = [*path_to(task, tasks), *([task.within] if task.within else [])]
        if not conditions:
            kept[task.name] = labels[task.name]
            continue
        inside = np.ones((len(labels[task.name]), 1), dtype=bool)
        for name in conditions:
            inside &= labels[name][:, :1] == 1
        kept[task.name] = np.where(inside, labels[task.name], np.nan)
    return kept


class Contradictions:
    """Counts the rows in which a step of a funnel, or a value, stands without the step before, over all pieces."""

    def __init__(self) -> None:
        self._rows = 0
        self._found: dict[str, tuple[Binary | LifetimeValue, int]] = {}

    def begin(self, rows: int) -> None:
        """Begin a table or a piece of so many rows."""
        self._rows += rows

    def add(self, task: Binary | LifetimeValue, rows: int) -> None:
        """Add the contradicting rows of a task."""
        _, before = self._found.get(task.name, (task, 0))
        self._found[task.name] = task, before + rows

    def absorbed(self) -> State:
        """Return what was counted, for :meth:`merge`."""
        return {"rows": self._rows, "found": {name: rows for name, (_, rows) in self._found.items()}}

    def merge(self, absorbed: State, tasks: Mapping[str, Task]) -> None:
        """Take in what was counted in the next part of a table."""
        self.begin(absorbed["rows"])
        for name, rows in absorbed["found"].items():
            task = tasks[name]
            assert isinstance(task, Binary | LifetimeValue)
            self.add(task, rows)

    def warn(self) -> None:
        """Warn of every task with contradicting rows.

        Warns:
            GatewiseWarning: names the task and says in how many rows.
        """
        for task, rows in self._found.values():
            what = "have it" if isinstance(task, Binary) else "have a value"
            found = f"task {task.name!r}: {rows:,} of {self._rows:,} rows {what} without {task.after!r}"
            if isinstance(task, Binary):
                done = f"{DONE[task.conflicts]} (conflicts: {task.conflicts})"
            else:
                done = "they count as 0"
            warnings.warn(f"{found}; {done}", GatewiseWarning, stacklevel=5)


DONE = {
    "trust_before": "they count as 0",
    "trust_after": "the steps before count as 1 there",
    "drop": "they are left out",
}


def settled(schema: Schema, labels: Labels, found: Contradictions | None = None) -> Labels:
    """Return labels in which no step of a funnel is taken without the step before, according to ``conflicts``.

    Args:
        schema: the tasks.
        labels: the labels of every task; stay unchanged.
        found: counts the contradicting rows, if given.

    Raises:
        TableError: a task whose ``conflicts`` is ``error`` has contradicting rows.
    """
    tasks = schema.tasks_by_name
    steps = [task for task in schema.tasks if isinstance(task, Binary) and task.after is not None]
    values = [task for task in schema.tasks if isinstance(task, LifetimeValue) and task.after is not None]
    if not steps and not values:
        return labels
    found = Contradictions() if found is None else found
    found.begin(len(next(iter(labels.values()))))
    labels = {name: column.copy() for name, column in labels.items()}
    steps.sort(key=lambda task: len(path_to(task, tasks)))
    # first, trusted steps set all steps before them; then the other steps are corrected from the first step on
    for task in sorted(steps, key=lambda task: task.conflicts != "trust_after"):
        assert task.after is not None
        rows = (labels[task.name] == 1) & (labels[task.after] == 0)
        if not rows.any():
            continue
        _count(task, int(rows.sum()), len(rows), found)
        if task.conflicts == "trust_after":
            for before in path_to(task, tasks):
                labels[before][rows & (labels[before] == 0)] = 1
        else:
            labels[task.name][rows] = 0 if task.conflicts == "trust_before" else np.nan
            if task.conflicts == "drop":
                labels[task.after][rows] = np.nan
    for value in values:
        _settle_value(value, labels, found)
    return labels


def _settle_value(task: LifetimeValue, labels: Labels, found: Contradictions) -> None:
    """Let values above 0 without the step before count as 0."""
    assert task.after is not None
    rows = (labels[task.name] > 0) & (labels[task.after] == 0)
    if rows.any():
        labels[task.name][rows] = 0
        found.add(task, int(rows.sum()))


def _count(task: Binary, rows: int, of: int, found: Contradictions) -> None:
    if task.conflicts == "error":
        what = f"task {task.name!r}: {rows:,} of {of:,} rows have it without {task.after!r}"
        raise TableError(f"{what}, which its conflicts: error forbids")
    found.add(task, rows)
