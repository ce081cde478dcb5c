"""All tasks of a model: their columns of scores and labels, targets, losses and predictions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from gatewise.tasks.rows import Rows, by_task
from gatewise.tasks.task import Task, sample


def scores_by_task(tasks: Sequence[Task], scores: Tensor) -> dict[str, Tensor]:
    """Return each task's columns of scores ``[row, score]``."""
    return by_task([task.name for task in tasks], [task.num_scores for task in tasks], scores)


def labels_by_task(tasks: Sequence[Task], labels: Tensor) -> dict[str, Tensor]:
    """Return each task's columns of labels ``[row, label]``."""
    return by_task([task.name for task in tasks], [task.num_labels for task in tasks], labels)


def targets_by_task(tasks: Sequence[Task], targets: Tensor) -> dict[str, Tensor]:
    """Return each task's columns of targets ``[row, target]``."""
    return by_task([task.name for task in tasks], [task.num_targets for task in tasks], targets)


def in_sample(tasks: Sequence[Task], labels: Tensor) -> dict[str, Tensor]:
    """Return every task's labels, NaN for a row that another task's label excludes from the sample."""
    own = labels_by_task(tasks, labels)
    kept = {}
    for task in tasks:
        values = own[task.name]
        if task.within is not None:
            other = own[task.within]
            inside = (other if other.dim() == 1 else other[:, 0]) == 1
            values = torch.where(inside if values.dim() == 1 else inside.unsqueeze(1), values, torch.nan)
        kept[task.name] = values
    return kept


def targets_and_weights(tasks: Sequence[Task], labels: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Return the targets of all tasks with missing ones replaced, and the weight of each row per task.

    Shape:
        - labels: ``[row, label]`` in their own units, NaN if missing; weights: ``[row, task]`` or None: all 1
        - output: float32 ``[row, target]``, and ``[row, task]`` or None: all 1
    """
    kept = in_sample(tasks, labels)
    columns = [task.targets_among(kept).reshape(len(labels), task.num_targets).float() for task in tasks]
    # a row is in a task's sample if the task's first target is known
    filled, counted = sample(torch.stack([column[:, 0] for column in columns], dim=1), weights)
    if all(task.num_targets == 1 for task in tasks):
        return filled, counted
    whole = torch.cat(columns, dim=1)
    if counted is not None:
        owners = torch.tensor([k for k, task in enumerate(tasks) for _ in range(task.num_targets)])
        whole = torch.where(counted[:, owners.to(whole.device)] == 0, 0.0, whole)
    return whole, counted


def summed_losses(
    tasks: Sequence[Task], scores: Tensor, targets: Tensor, weights: Tensor | None, groups: Tensor | None = None
) -> Tensor:
    r"""Return every task's loss, summed over the rows of the task's sample.

    .. math:: S_k = \sum_b w_{bk} \, \ell_k(s_{bk}, y_{bk})

    Shape:
        - scores ``[batch, score]``; targets ``[batch, target]`` and weights ``[batch, task]``, both from
          :func:`targets_and_weights`; groups ``[batch]`` or None
        - output ``[task]``
    """
    kinds = {task.same_losses for task in tasks}
    if len(kinds) == 1 < len(tasks) and _each_by_itself(tasks[0]):
        losses = tasks[0].losses(scores, targets)
    else:
        counted = {task.name: None if weights is None else weights[:, k] for k, task in enumerate(tasks)}
        rows = Rows(scores_by_task(tasks, scores), targets_by_task(tasks, targets), counted, groups)
        losses = torch.stack([task.losses_among(rows) for task in tasks], dim=1)
    return losses.sum(dim=0) if weights is None else (losses * weights).sum(dim=0)


def _each_by_itself(task: Task) -> bool:
    """Return whether the loss of a score depends only on the score and its target."""
    return task.num_scores == task.num_targets == 1 and type(task).losses_among is Task.losses_among


def predict_tasks(tasks: Sequence[Task], scores: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Return every predicted column ``[row]``, in the order of the tasks; see :meth:`Task.predictions`.

    Shape:
        - scores ``[row, score]``; labels ``[row, label]``, NaN if not known
    """
    own, known = scores_by_task(tasks, scores), labels_by_task(tasks, labels)
    return {name: column for task in tasks for name, column in task.predictions(own, known).items()}
