"""Samples of tasks that depend on another task's label, and contradicting labels of funnels."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from gatewise.declare import Binary, LifetimeValue, Schema, path_to
from gatewise.errors import GatewiseWarning, TableError

Labels = dict[str, np.ndarray]
"""By task name, the labels ``[row, column]``."""


def in_samples(schema: Schema, labels: Mapping[str, np.ndarray]) -> Labels:
    """Return labels with NaN outside each task's sample; a step's sample is the rows that took the step before."""
    tasks = schema.tasks_by_name
    kept = {}
    for task in schema.tasks:
        conditions = [*path_to(task, tasks), *([task.within] if task.within else [])]
        inside = np.ones((len(labels[task.name]), 1), dtype=bool)
        for name in conditions:
            inside &= labels[name][:, :1] == 1
        kept[task.name] = np.where(inside, labels[task.name], np.nan)
    return kept


def settled(schema: Schema, labels: Labels, *, warn: bool) -> Labels:
    """Return labels in which no step of a funnel is taken without the step before, according to ``conflicts``.

    Args:
        schema: the tasks.
        labels: the labels of every task; stay unchanged.
        warn: whether to warn of contradicting rows.

    Raises:
        TableError: a task whose ``conflicts`` is ``error`` has contradicting rows.

    Warns:
        GatewiseWarning: labels contradict; says in how many rows.
    """
    tasks = schema.tasks_by_name
    steps = [task for task in schema.tasks if isinstance(task, Binary) and task.after is not None]
    values = [task for task in schema.tasks if isinstance(task, LifetimeValue) and task.after is not None]
    if not steps and not values:
        return labels
    labels = {name: column.copy() for name, column in labels.items()}
    steps.sort(key=lambda task: len(path_to(task, tasks)))
    # first, trusted steps set all steps before them; then the other steps are corrected from the first step on
    for task in sorted(steps, key=lambda task: task.conflicts != "trust_after"):
        assert task.after is not None
        rows = (labels[task.name] == 1) & (labels[task.after] == 0)
        if not rows.any():
            continue
        _tell(task, int(rows.sum()), len(rows), warn)
        if task.conflicts == "trust_after":
            for before in path_to(task, tasks):
                labels[before][rows & (labels[before] == 0)] = 1
        else:
            labels[task.name][rows] = 0 if task.conflicts == "trust_before" else np.nan
            if task.conflicts == "drop":
                labels[task.after][rows] = np.nan
    for value in values:
        _settle_value(value, labels, warn=warn)
    return labels


def _settle_value(task: LifetimeValue, labels: Labels, *, warn: bool) -> None:
    """Let values above 0 without the step before count as 0."""
    assert task.after is not None
    rows = (labels[task.name] > 0) & (labels[task.after] == 0)
    if not rows.any():
        return
    labels[task.name][rows] = 0
    if warn:
        found = f"task {task.name!r}: {int(rows.sum()):,} of {len(rows):,} rows have a value without {task.after!r}"
        warnings.warn(f"{found}; they count as 0", GatewiseWarning, stacklevel=5)


DONE = {
    "trust_before": "they count as 0",
    "trust_after": "the steps before count as 1 there",
    "drop": "they are left out",
}


def _tell(task: Binary, rows: int, of: int, warn: bool) -> None:
    found = f"task {task.name!r}: {rows:,} of {of:,} rows have it without {task.after!r}"
    if task.conflicts == "error":
        raise TableError(f"{found}, which its conflicts: error forbids")
    if warn:
        warnings.warn(f"{found}; {DONE[task.conflicts]} (conflicts: {task.conflicts})", GatewiseWarning, stacklevel=5)
