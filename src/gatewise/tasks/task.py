"""The contract of every task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable

import torch
from torch import Tensor

from gatewise.metrics import GroupMetric, Metric
from gatewise.tasks.rows import ByTask, Rows

Metrics = dict[str, dict[str, float | None]]
"""By prediction name and metric name, the metric's value; None if undefined."""


class Task(ABC):
    """Link, loss and metrics of one kind of label.

    A kind of task is one subclass. Most kinds define how their own labels become targets, how their own scores become
    losses and predictions, and which metrics judge them. A kind that reads other tasks, or predicts several columns,
    overrides the methods that get the tensors of all tasks.

    Args:
        name: names the task's outputs and metrics.
        weight: multiplies the task's loss.
        within: the name of a binary task; only rows in which the label of that task is 1 are in this task's sample.
    """

    metrics: tuple[Metric, ...]
    """All metrics of the kind."""
    group_metrics: tuple[GroupMetric, ...] = ()
    """Metrics within groups, for tables with groups."""
    summary: Metric
    """The task's metric in a mean over tasks: without unit, greater is better."""
    uncertainty_factor: float = 1.0
    """Factor of exp(-s) in uncertainty weighting: 1 for a likelihood, 1/2 for an error. Losses are never negative."""
    num_scores: int = 1
    """Number of scores of the task's tower."""
    num_labels: int = 1
    """Number of label columns."""
    num_targets: int = 1
    """Number of target columns."""
    reads: tuple[str, ...] = ()
    """Names of the tasks whose towers this task's tower reads."""
    reads_groups: bool = False
    """Whether the loss compares rows of a group; a group's rows then have to be in one batch."""

    def __init__(self, name: str, weight: float = 1.0, *, within: str | None = None) -> None:
        self.name = name
        self.weight = weight
        self.within = within

    @property
    def initial_bias(self) -> float | tuple[float, ...]:
        """Initial score of an untrained model, or a tuple of all initial scores."""
        return 0.0

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the predicted columns."""
        return (self.name,)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs that metrics judge; the last one represents the task in a mean over tasks."""
        return (self.name,)

    def targets(self, labels: Tensor) -> Tensor:
        """Return the targets of the loss, ``[row]`` or ``[row, num_targets]``; NaN stays NaN."""
        return labels

    @property
    def same_losses(self) -> Hashable:
        """Key that tasks share if their :meth:`losses` are the same function of each score and its target.

        The losses of such tasks are computed in one call, on ``[row, task]``. By default the key is the task itself.
        """
        return self

    @abstractmethod
    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of every row, independent of other rows; targets have no NaN.

        Shape:
            - scores ``[row]``, or ``[row, num_scores]``; targets likewise
            - output ``[row]``
        """

    @abstractmethod
    def predict(self, scores: Tensor) -> Tensor:
        """Return float64 predictions in the label's unit: ``[row]``, or ``[row, column]`` for several columns."""

    def merged(self, scores: Tensor) -> Tensor:
        """Return scores that predict the mean of the members' predictions; by default the mean of their scores.

        Shape:
            - scores ``[row, member]``, or ``[row, member, num_scores]``
            - output ``[row]``, or ``[row, num_scores]``
        """
        return scores.mean(dim=1)

    def merged_among(self, scores: ByTask) -> Tensor:
        """Return the merged scores, given the members' scores of all tasks; see :meth:`merged`."""
        return self.merged(scores[self.name])

    def targets_among(self, labels: ByTask) -> Tensor:
        """Return the targets, given the labels of all tasks; NaN for a row outside the sample."""
        return self.targets(labels[self.name])

    def losses_among(self, rows: Rows) -> Tensor:
        """Return the loss ``[row]`` of every row, given scores and targets of all tasks."""
        return self.losses(rows.scores[self.name], rows.targets[self.name])

    def predictions(self, scores: ByTask, labels: ByTask) -> dict[str, Tensor]:  # noqa: ARG002
        """Return every predicted column ``[row]``, by its name.

        Args:
            scores: the scores of all tasks.
            labels: the labels of all tasks, all NaN if not known yet.
        """
        return self.named(self.predict(scores[self.name]))

    def named(self, predictions: Tensor) -> dict[str, Tensor]:
        """Return the columns of predictions ``[row]`` or ``[row, column]``, by name."""
        matrix = predictions.reshape(predictions.shape[0], len(self.columns))
        return dict(zip(self.columns, matrix.unbind(dim=1), strict=True))

    def metrics_of(self, output: str) -> tuple[Metric, ...]:  # noqa: ARG002
        """Return the metrics that judge an output."""
        return self.metrics

    def judged(self, labels: ByTask) -> dict[str, Tensor]:
        """Return the labels ``[row]`` for the metrics of each output, NaN outside the output's sample."""
        return {self.name: labels[self.name]}

    def judged_weights(self, labels: ByTask) -> dict[str, Tensor]:  # noqa: ARG002
        """Return how often metrics count each row ``[row]``, by output; an output that is absent counts rows once."""
        return {}

    def evaluate_among(self, labels: ByTask, predictions: ByTask, groups: Tensor | None = None) -> Metrics:
        """Return the metrics of every output.

        Args:
            labels: the labels of all tasks, in their own units.
            predictions: every predicted column of the task.
            groups: ``[row]``, for metrics within groups.
        """
        weights = self.judged_weights(labels)
        return {
            output: self.evaluate(wanted, predictions[output], groups, self.metrics_of(output), weights.get(output))
            for output, wanted in self.judged(labels).items()
        }

    def evaluate(
        self,
        labels: Tensor,
        predictions: Tensor,
        groups: Tensor | None = None,
        metrics: tuple[Metric, ...] | None = None,
        weights: Tensor | None = None,
    ) -> dict[str, float | None]:
        """Return every metric over the rows with a label; an undefined metric is None.

        Shape:
            - labels: ``[row]`` in their own unit, NaN if missing
            - predictions: ``[row]``, or another shape that the metrics take
            - groups: ``[row]``; negative: no group
            - weights: ``[row]``, how often a row counts; None: once
        """
        known = ~labels.isnan()
        chosen = self.metrics if metrics is None else metrics
        beside = [] if weights is None else [weights[known]]
        found = {metric.name: metric.compute(labels[known], predictions[known], *beside) for metric in chosen}
        if groups is not None and self.group_metrics:
            known = known & (groups >= 0)
            for metric in self.group_metrics:
                beside = [] if weights is None else [weights[known]]
                value, _, skipped = metric.compute(labels[known], predictions[known], groups[known], *beside)
                found |= {metric.name: value, f"{metric.name}_skipped": float(skipped)}
        return found


def sample(targets: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Return targets with missing ones replaced, and their weights: 1 without ``weights``, 0 for a missing target.

    The value of a target that is missing or has weight 0 is replaced here, before any loss is computed, so that it
    reaches neither losses nor gradients.

    Shape:
        - targets, weights: ``[row, task]``; targets NaN if missing
        - output: two ``[row, task]``; None for weights that are all 1
    """
    missing = targets.isnan()
    if weights is None and not missing.any():
        return targets, None
    counted = torch.where(missing, 0.0, torch.ones_like(targets) if weights is None else weights)
    return torch.where(counted == 0, 0.0, targets), counted
