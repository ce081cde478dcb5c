"""The contract of every task: what its label means to the model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable

import torch
from torch import Tensor

from gatewise.metrics import GroupMetric, Metric
from gatewise.tasks.rows import ByTask, Rows

Metrics = dict[str, dict[str, float | None]]
"""For each prediction, by its name, every metric by name; None where it is undefined."""


class Task(ABC):
    """Link, loss and metrics of one kind of label.

    A kind is one subclass. Most say how labels become targets, how scores become losses and predictions, and which
    metrics judge them, each from what is their own. A kind that looks at other tasks, or predicts more than one column,
    overrides the methods that are given what all tasks have.

    Args:
        name: names the task's outputs and metrics.
        weight: multiplies the task's loss.
        within: the name of a binary task: rows where its label is not 1 are not in this task's sample.
    """

    metrics: tuple[Metric, ...]
    """All metrics of the kind."""
    group_metrics: tuple[GroupMetric, ...] = ()
    """Metrics within groups, where the table has groups."""
    summary: Metric
    """The metric that stands for the task in a mean over tasks: free of unit, greater is better."""
    uncertainty_factor: float = 1.0
    """What multiplies exp(-s) in uncertainty weighting: 1 for a likelihood, 1/2 for an error. No loss is negative."""
    num_scores: int = 1
    """How many scores the task's tower gives."""
    num_labels: int = 1
    """How many columns its labels have."""
    num_targets: int = 1
    """How many columns its targets have."""
    reads_groups: bool = False
    """Whether the loss compares rows of a group, so that a group's rows belong in one batch."""

    def __init__(self, name: str, weight: float = 1.0, *, within: str | None = None) -> None:
        self.name = name
        self.weight = weight
        self.within = within

    @property
    def initial_bias(self) -> float | tuple[float, ...]:
        """Score at which an untrained model best starts, or all of them."""
        return 0.0

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that the task predicts."""
        return (self.name,)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what is judged; the last one stands for the task in a mean over tasks."""
        return (self.name,)

    def targets(self, labels: Tensor) -> Tensor:
        """Return what the loss compares scores with, ``[row]`` or ``[row, num_targets]``; NaN stays NaN."""
        return labels

    @property
    def same_losses(self) -> Hashable:
        """What tasks have in common whose :meth:`losses` are the same function of each score and its target.

        Theirs are taken in one call, on ``[row, task]``. By default nothing: the task itself.
        """
        return self

    @abstractmethod
    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of every row, each by itself; targets have no NaN.

        Shape:
            - scores ``[row]``, or ``[row, num_scores]``; targets likewise
            - output ``[row]``
        """

    @abstractmethod
    def predict(self, scores: Tensor) -> Tensor:
        """Return predictions in the label's unit, in float64: ``[row]``, or ``[row, column]`` of several columns."""

    def targets_among(self, labels: ByTask) -> Tensor:
        """Return the targets of rows whose other labels are known too; NaN where the row is not in the sample."""
        return self.targets(labels[self.name])

    def losses_among(self, rows: Rows) -> Tensor:
        """Return the loss ``[row]`` of every row, given what all tasks have."""
        return self.losses(rows.scores[self.name], rows.targets[self.name])

    def predictions(self, scores: ByTask, labels: ByTask) -> dict[str, Tensor]:  # noqa: ARG002
        """Return every predicted column ``[row]``, by its name.

        Args:
            scores: of all tasks.
            labels: of all tasks, NaN throughout where nothing is known yet.
        """
        return self.named(self.predict(scores[self.name]))

    def named(self, predictions: Tensor) -> dict[str, Tensor]:
        """Return predictions ``[row]`` or ``[row, column]`` as columns by their names."""
        matrix = predictions.reshape(predictions.shape[0], len(self.columns))
        return dict(zip(self.columns, matrix.unbind(dim=1), strict=True))

    def metrics_of(self, output: str) -> tuple[Metric, ...]:  # noqa: ARG002
        """Return the metrics that judge an output."""
        return self.metrics

    def judged(self, labels: ByTask) -> dict[str, Tensor]:
        """Return the labels ``[row]`` that each output is judged by, NaN outside its sample."""
        return {self.name: labels[self.name]}

    def evaluate_among(self, labels: ByTask, predictions: ByTask, groups: Tensor | None = None) -> Metrics:
        """Return the metrics of every output.

        Args:
            labels: of all tasks, in their own units.
            predictions: every column that the task predicts.
            groups: ``[row]``, for metrics within groups.
        """
        return {
            output: self.evaluate(wanted, predictions[output], groups, self.metrics_of(output))
            for output, wanted in self.judged(labels).items()
        }

    def evaluate(
        self,
        labels: Tensor,
        predictions: Tensor,
        groups: Tensor | None = None,
        metrics: tuple[Metric, ...] | None = None,
    ) -> dict[str, float | None]:
        """Return every metric over the rows that have a label; None where a metric is undefined.

        Shape:
            - labels: ``[row]`` in their own unit, NaN where missing
            - predictions: ``[row]``, or what else the metrics take
            - groups: ``[row]``; negative: in no group
        """
        known = ~labels.isnan()
        chosen = self.metrics if metrics is None else metrics
        found = {metric.name: metric.compute(labels[known], predictions[known]) for metric in chosen}
        if groups is not None and self.group_metrics:
            known = known & (groups >= 0)
            for metric in self.group_metrics:
                value, _, skipped = metric.compute(labels[known], predictions[known], groups[known])
                found |= {metric.name: value, f"{metric.name}_skipped": float(skipped)}
        return found


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
