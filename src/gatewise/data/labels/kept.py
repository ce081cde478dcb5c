"""Weights of negatives of which only a share was kept."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from gatewise.declare import Binary, Schema, Task, path_to


def weights_of_kept(schema: Schema, labels: np.ndarray, columns: Mapping[str, int]) -> np.ndarray | None:
    """Return how often each row counts, float32 ``[row, task]``: a negative once for every negative like it.

    A row counts for a step of a funnel as for the first step that was not taken.

    Args:
        schema: the tasks.
        labels: ``[row, label]`` of all tasks.
        columns: the first label column of every task.

    Returns:
        The factors of the rows' weights; None where all negatives of every task are there.
    """
    if all(not isinstance(task, Binary) or task.negatives_kept is None for task in schema.tasks):
        return None
    found = np.ones((len(labels), len(schema.tasks)), np.float32)
    for place, task in enumerate(schema.tasks):
        steps = [schema.tasks_by_name[name] for name in path_to(task, schema.tasks_by_name)]
        reached = np.ones(len(labels), bool)
        for step in (*steps, task):
            if isinstance(step, Binary):
                own = labels[:, columns[step.name]]
                found[:, place] = np.where(reached & (own == 0), 1 / _kept(step, labels, columns), found[:, place])
                reached &= own == 1
    return found


def _kept(task: Task, labels: np.ndarray, columns: Mapping[str, int]) -> np.ndarray | float:
    assert isinstance(task, Binary)
    if isinstance(task.negatives_kept, str):
        return labels[:, columns[task.name] + 1]
    return 1.0 if task.negatives_kept is None else task.negatives_kept


def combined(*factors: np.ndarray | None) -> np.ndarray | None:
    """Return the product of some weights ``[row, task]`` as float32; None where there are none."""
    found = None
    for each in factors:
        if each is not None:
            found = each.astype(np.float32) if found is None else found * each
    return found
