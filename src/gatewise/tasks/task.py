"""The contract of every task: what its label means to the model."""

from __future__ import annotations

from abc import ABC, abstractmethod

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

    @abstractmethod
    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Return one loss a row from scores ``[row]`` and targets ``[row]`` without NaN."""

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


def row_weights(targets: Tensor, weights: Tensor | None) -> Tensor:
    """Return how much every label counts: its weight, 1 without weights, 0 where it is missing.

    Shape:
        - targets, weights: ``[batch, task]``; targets NaN where missing
        - output ``[batch, task]``
    """
    return torch.where(targets.isnan(), 0.0, torch.ones_like(targets) if weights is None else weights)


def masked_losses(tasks: list[Task], scores: Tensor, targets: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor]:
    r"""Return every task's summed loss and the weight it was summed over.

    .. math:: S_k = \sum_b w_{bk} \, \ell_k(s_{bk}, y_{bk}), \qquad W_k = \sum_b w_{bk}

    over the rows b that have a label of task k. What stands at a missing label, or at one of weight 0, reaches neither
    losses nor gradients: it is replaced before the loss is taken.

    Shape:
        - scores, targets, weights: ``[batch, task]``; targets NaN where missing; weights None: all 1
        - output: two tensors ``[task]``; the second has no gradient
    """
    counted = row_weights(targets, weights)
    safe = torch.where(counted == 0, 0.0, targets)
    columns = [task.losses(scores[:, k], safe[:, k]) for k, task in enumerate(tasks)]
    return (torch.stack(columns, dim=1) * counted).sum(dim=0), counted.sum(dim=0)


def evaluate_tasks(tasks: list[Task], scores: Tensor, labels: Tensor) -> Metrics:
    """Return every metric of every task over its own labelled rows.

    Shape:
        - scores: ``[row, task]``
        - labels: ``[row, task]`` in their own units, NaN where missing
    """
    return {task.name: task.evaluate(labels[:, k], task.predict(scores[:, k])) for k, task in enumerate(tasks)}
