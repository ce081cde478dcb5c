"""How much of each task is in a step."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.nn import Batch


class Sample(NamedTuple):
    """What of each task is in a step.

    Shape:
        - rows: a number, all rows of the step
        - counted: ``[task]``, how much counts
        - share: ``[task]``, what makes the mean of the summed losses
        - present: ``[task]`` bool, whether anything of it counts
    """

    rows: int
    counted: Tensor
    share: Tensor
    present: Tensor


class Samples:
    """Takes the samples of steps.

    Args:
        task_weights: ``[task]``; a task of weight 0 is never present.
    """

    def __init__(self, task_weights: Tensor) -> None:
        self.task_weights = task_weights
        self._whole: dict[int, Sample] = {}

    def of(self, batches: list[Batch]) -> Sample:
        """Return the sample of a step."""
        rows = sum(len(batch.targets) for batch in batches)
        weights = [batch.weights for batch in batches if batch.weights is not None]
        if weights:
            return self._sample(rows, sum((weight.sum(dim=0) for weight in weights[1:]), weights[0].sum(dim=0)))
        # where every row counts 1: made once for each size of a step
        if rows not in self._whole:
            self._whole[rows] = self._sample(rows, torch.full_like(self.task_weights, rows))
        return self._whole[rows]

    def _sample(self, rows: int, counted: Tensor) -> Sample:
        share = torch.where(counted > 0, 1 / counted.clamp(min=1e-30), counted)
        return Sample(rows, counted, share, (counted > 0) & (self.task_weights > 0))
