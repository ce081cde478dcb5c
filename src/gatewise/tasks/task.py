"""The contract of every task: what its label means to the model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable

import torch
from torch import Tensor

from gatewise.metrics import Metric

Metrics = dict[str, dict[str, float | None]]
"""For each task every metric by name; None where it is undefined."""


class Task(ABC):
    """Link, loss and metrics of one kind of label.

    A kind is one subclass: how labels become targets, scores become losses and predictions, which metrics judge them.

    Args:
        name: names the task's outputs and metrics.
        weight: multiplies the task's loss.
    """

    metrics: tuple[Metric, ...]
    """All metrics of the kind."""
    summary: Metric
    """The metric that stands for the task in a mean over tasks: free of unit, greater is better."""
    uncertainty_factor: float
    """What multiplies exp(-s) in uncertainty weighting: 1 for a classification, 1/2 for a squared error."""

    def __init__(self, name: str, weight: float = 1.0) -> None:
        self.name = name
        self.weight = weight

    @property
    def initial_bias(self) -> float:
        """Score at which an untrained model best starts."""
        return 0.0

    def targets(self, labels: Tensor) -> Tensor:
        """Return what the loss compares scores with; NaN stays NaN."""
        return labels

    @property
    def same_losses(self) -> Hashable:
        """What tasks with the same :meth:`losses` have in common; theirs are taken in one call."""
        return type(self)

    @abstractmethod
    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of every score, each by itself; targets have the same shape and no NaN."""

    @abstractmethod
    def predict(self, scores: Tensor) -> Tensor:
        """Return predictions ``[row]`` in the label's unit, in float64."""

    def evaluate(self, labels: Tensor, predictions: Tensor) -> dict[str, float | None]:
        """Return every metric over the rows that have a label; None where a metric is undefined.

        Shape:
            - labels: ``[row]`` in their own unit, NaN where missing
            - predictions: ``[row]``
        """
        known = ~labels.isnan()
        return {metric.name: metric.compute(labels[known], predictions[known]) for metric in self.metrics}


def sample(targets: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Return targets without gaps and how much each counts: its weight, 1 without weights, 0 where it is missing.

    What stands at a missing label, or at one of weight 0, is replaced here, before any loss is taken, so that it
    reaches neither losses nor gradients.

    Shape:
        - targets, weights: ``[row, task]``; targets NaN where missing
        - output: two ``[row, task]``; None for weights that are all 1
    """
    missing = targets.isnan()
    if weights is None and not missing.any():
        return targets, None
    counted = torch.where(missing, 0.0, torch.ones_like(targets) if weights is None else weights)
    return torch.where(counted == 0, 0.0, targets), counted


def summed_losses(tasks: list[Task], scores: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    r"""Return every task's loss, summed over the rows of its sample.

    .. math:: S_k = \sum_b w_{bk} \, \ell_k(s_{bk}, y_{bk})

    Shape:
        - scores, targets, weights: ``[batch, task]``, the last two from :func:`sample`
        - output ``[task]``
    """
    kinds = {task.same_losses for task in tasks}
    if len(kinds) == 1:
        losses = tasks[0].losses(scores, targets)
    else:
        losses = torch.stack([task.losses(scores[:, k], targets[:, k]) for k, task in enumerate(tasks)], dim=1)
    return losses.sum(dim=0) if weights is None else (losses * weights).sum(dim=0)


def evaluate_tasks(tasks: list[Task], scores: Tensor, labels: Tensor) -> Metrics:
    """Return every metric of every task over its own labelled rows.

    Shape:
        - scores: ``[row, task]``
        - labels: ``[row, task]`` in their own units, NaN where missing
    """
    return {task.name: task.evaluate(labels[:, k], task.predict(scores[:, k])) for k, task in enumerate(tasks)}
