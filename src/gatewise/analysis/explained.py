"""The values of a task that an explanation takes apart."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gatewise.tasks import FunnelTask, MulticlassTask, OrdinalTask, Task


def score_names(task: Task) -> tuple[str, ...]:
    """Return the names of a task's explained values, in the order of :func:`explained_values`.

    Of a step its probability's, of classes their columns, of levels the task's, else the scores by number.
    """
    if isinstance(task, MulticlassTask):
        return task.columns
    if task.num_scores == 1:
        return (task.given if isinstance(task, FunnelTask) else task.name,)
    if isinstance(task, OrdinalTask):
        return (task.name,)
    return tuple(f"{task.name} score {i + 1}" for i in range(task.num_scores))


def explained_values(tasks: Sequence[Task], scores: Tensor) -> Tensor:
    """Return the values ``[row, value]`` to take apart, from the scores ``[row, score]`` of all tasks.

    They are the scores, but for ordered levels: their scores are latent (the first one rises with the label, the others
    say how far apart the levels are), so that the expected level stands for them, in the label's unit.
    """
    parts = torch.split(scores, [task.num_scores for task in tasks], dim=1)
    return torch.cat([_of_task(task, part) for task, part in zip(tasks, parts, strict=True)], dim=1)


def _of_task(task: Task, scores: Tensor) -> Tensor:
    return task.predict(scores)[:, :1] if isinstance(task, OrdinalTask) else scores.double()
