"""Numbers of rows of each task in a step."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.nn import Batch
from gatewise.processes import Processes


class TaskCounts(NamedTuple):
    """The numbers of rows of each task in a step, over all its batches and processes.

    Shape:
        - rows: a number, all rows of the step
        - counted: ``[task]``, the sum of the weights of the task's rows
        - per_row: ``[task]``, 1 / ``counted``, the factor from summed to mean losses; 0 for a task without rows
        - present: ``[task]`` bool, whether the task has a row with weight above 0, and a declared weight above 0
    """

    rows: int
    counted: Tensor
    per_row: Tensor
    present: Tensor


class TaskCounter:
    """Counts the rows of each task in a step.

    Args:
        task_weights: ``[task]``; a task of weight 0 is never present.
        processes: the processes that share the step.
    """

    def __init__(self, task_weights: Tensor, processes: Processes) -> None:
        self.task_weights, self.processes = task_weights, processes
        self._whole: dict[int, TaskCounts] = {}

    def count(self, batches: list[Batch]) -> TaskCounts:
        """Return the counts of a step with the given batches."""
        rows = sum(len(batch.targets) for batch in batches)
        if self.processes.size > 1 or any(batch.weights is not None for batch in batches):
            parts = [self._of_batch(batch) for batch in batches]
            return self._of_all(rows, sum(parts[1:], parts[0]))
        # for rows that all have weight 1: created once per step size
        if rows not in self._whole:
            self._whole[rows] = self._counts(rows, torch.full_like(self.task_weights, rows))
        return self._whole[rows]

    def _of_all(self, rows: int, counted: Tensor) -> TaskCounts:
        """Return the counts of all processes, from this one's; both travel together."""
        if self.processes.size == 1:
            return self._counts(rows, counted)
        found = self.processes.sum(torch.cat([counted.double(), counted.new_tensor([rows], dtype=torch.double)]))
        return self._counts(int(found[-1]), found[:-1].to(counted.dtype))

    def _of_batch(self, batch: Batch) -> Tensor:
        if batch.weights is None:
            return torch.full_like(self.task_weights, len(batch.targets))
        return batch.weights.sum(dim=0)

    def _counts(self, rows: int, counted: Tensor) -> TaskCounts:
        per_row = torch.where(counted > 0, 1 / counted.clamp(min=1e-30), counted)
        return TaskCounts(rows, counted, per_row, (counted > 0) & (self.task_weights > 0))
