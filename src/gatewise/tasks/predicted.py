"""Predictions and labels of rows, for evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.tasks.all_tasks import in_sample, predict_tasks
from gatewise.tasks.task import Metrics, Task


class Judged(NamedTuple):
    """An output with its labels and predictions.

    Attributes:
        task: the task of the output.
        labels: ``[row]``, NaN outside the output's sample.
        predictions: ``[row]``, or ``[row, column]`` if the output is judged by all columns of the task.
        weights: ``[row]``, how often metrics count a row; None: once.
    """

    task: Task
    labels: Tensor
    predictions: Tensor
    weights: Tensor | None = None

    def counted(self, known: Tensor) -> dict[str, Tensor]:
        """Return the weights of some rows as a metric's further argument; nothing where rows count once."""
        return {} if self.weights is None else {"weights": self.weights[known]}


@dataclass(frozen=True)
class Predicted:
    """Predictions and labels of some rows.

    Shape:
        - columns: by name, each predicted column ``[row]``
        - labels: ``[row, label]`` in their own units, NaN if missing
        - groups: ``[row]``, negative: no group; None: no groups
    """

    tasks: Sequence[Task]
    columns: Mapping[str, Tensor]
    labels: Tensor
    groups: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, index: Tensor | slice) -> Predicted:
        """Return the chosen rows."""
        columns = {name: column[index] for name, column in self.columns.items()}
        groups = None if self.groups is None else self.groups[index]
        return Predicted(self.tasks, columns, self.labels[index], groups)

    def evaluate(self) -> Metrics:
        """Return every metric of every output, each over its own sample; an undefined metric is None."""
        kept, found = in_sample(self.tasks, self.labels), Metrics()
        for task in self.tasks:
            own = {name: self.columns[name] for name in task.columns}
            found |= task.evaluate_among(kept, own, self.groups)
        return found

    def judged(self) -> dict[str, Judged]:
        """Return every output with its labels and predictions."""
        kept = in_sample(self.tasks, self.labels)
        return {
            output: Judged(task, labels, self._predictions(task, output), task.judged_weights(kept).get(output))
            for task in self.tasks
            for output, labels in task.judged(kept).items()
        }

    def _predictions(self, task: Task, output: str) -> Tensor:
        if output in self.columns:
            return self.columns[output]
        return torch.stack([self.columns[name] for name in task.columns], dim=1)


def joined(parts: Sequence[Predicted]) -> Predicted:
    """Return the rows of several predictions of the same tasks, at least one, behind each other."""
    first = parts[0]
    columns = {name: torch.cat([part.columns[name] for part in parts]) for name in first.columns}
    groups = [part.groups for part in parts if part.groups is not None]
    return Predicted(
        first.tasks, columns, torch.cat([part.labels for part in parts]), torch.cat(groups) if groups else None
    )


def evaluate_tasks(tasks: Sequence[Task], scores: Tensor, labels: Tensor, groups: Tensor | None = None) -> Metrics:
    """Return every metric of every output of all tasks, each over its own sample.

    Shape:
        - scores ``[row, score]``; labels ``[row, label]`` in their own units, NaN if missing; groups ``[row]``
    """
    return Predicted(tasks, predict_tasks(tasks, scores, labels), labels, groups).evaluate()
