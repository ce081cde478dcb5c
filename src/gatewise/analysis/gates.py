"""Gates: who uses whom, and whether that is healthy."""

from __future__ import annotations

import numpy as np

COLLAPSED_WEIGHT = 0.99
DEAD_WEIGHT = 0.01


def gate_problems(gates: np.ndarray, tasks: list[str]) -> list[str]:
    """Say in words which gates have collapsed and which experts are dead.

    A gate has collapsed when its largest weight, averaged over the rows, is at least 0.99: the task uses one
    expert. An expert is dead when no task gives it an average weight of 0.01.

    Args:
        gates: ``[row, task, expert]``.
        tasks: the tasks' names.

    Returns:
        One sentence a problem; none where all is well, or with a single expert.
    """
    if len(gates) == 0 or gates.shape[2] < 2:
        return []
    problems = []
    largest = gates.max(axis=2).mean(axis=0)
    favourite = gates.mean(axis=0).argmax(axis=1)
    for task, weight, expert in zip(tasks, largest, favourite, strict=True):
        if weight >= COLLAPSED_WEIGHT:
            problems.append(
                f"the gate of task {task!r} has collapsed: its largest weight is {weight:.3f} on average, mostly of "
                f"expert {expert}; try fewer experts, a lower lr, or dropout"
            )
    for expert, weight in enumerate(gates.mean(axis=0).max(axis=0)):
        if weight < DEAD_WEIGHT:
            problems.append(
                f"expert {expert} is dead: no task gives it more than {weight:.4f} on average; "
                "try fewer experts or a lower lr"
            )
    return problems
