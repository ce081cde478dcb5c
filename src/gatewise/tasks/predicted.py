"""Rows with what was predicted of them and what is known: all that judging needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.tasks.task import Metrics, Task
from gatewise.tasks.together import in_sample, predict_tasks


class Judged(NamedTuple):
    """An output beside what it is judged by.

    Attributes:
        task: whose output it is.
        labels: ``[row]``, NaN outside its sample.
        predictions: ``[row]``, or ``[row, column]`` where it is judged by all columns of the task.
    """

    task: Task
    labels: Tensor
    predictions: Tensor


@dataclass(frozen=True)
class Predicted:
    """Predictions and labels of some rows.

    Shape:
        - columns: each ``[row]``, by name: all that the tasks predict
        - labels: ``[row, label]`` in their own units, NaN where missing
        - groups: ``[row]``, negative: in no group; None: there are no groups
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
        """Return every metric of every output, each over its own sample; None where a metric is undefined."""
        kept, found = in_sample(self.tasks, self.labels), Metrics()
        for task in self.tasks:
            own = {name: self.columns[name] for name in task.columns}
            found |= task.evaluate_among(kept, own, self.groups)
        return found

    def judged(self) -> dict[str, Judged]:
        """Return every output with what it is judged by."""
        kept = in_sample(self.tasks, self.labels)
        return {
            output: Judged(task, labels, self._predictions(task, output))
            for task in self.tasks
            for output, labels in task.judged(kept).items()
        }

    def _predictions(self, task: Task, output: str) -> Tensor:
        if output in self.columns:
            return self.columns[output]
        return torch.stack([self.columns[name] for name in task.columns], dim=1)


def evaluate_tasks(tasks: Sequence[Task], scores: Tensor, labels: Tensor, groups: Tensor | None = None) -> Metrics:
    """Return every metric of every output of all tasks, each over its own sample.

    Shape:
        - scores ``[row, score]``; labels ``[row, label]`` in their own units, NaN where missing; groups ``[row]``
    """
    return Predicted(tasks, predict_tasks(tasks, scores, labels), labels, groups).evaluate()
