"""The inputs of a task's loss: scores and targets of all tasks, by task name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

ByTask = Mapping[str, Tensor]
"""By task name, a tensor ``[row]``, or ``[row, column]`` for a task with several columns."""


@dataclass(frozen=True)
class Rows:
    """The inputs of a loss.

    Attributes:
        scores: the model's scores of every task.
        targets: the targets of every task, with missing ones replaced.
        counted: weight of each row for a task, ``[row]``, 0 outside the sample; None: all 1.
        groups: ``[row]``, group of each row, or None.
    """

    scores: ByTask
    targets: ByTask
    counted: Mapping[str, Tensor | None] = field(default_factory=dict)
    groups: Tensor | None = None

    def grouped(self, task: str) -> tuple[Tensor, Tensor] | None:
        """Return the indices of the rows of a task's sample that have a group, and their groups; None if none has."""
        if self.groups is None or len(self.groups) == 0:
            return None
        counted = self.counted[task]
        present = self.groups >= 0 if counted is None else (self.groups >= 0) & (counted > 0)
        index = present.nonzero().squeeze(1)
        return (index, self.groups[index]) if len(index) else None


def by_task(names: Iterable[str], widths: Iterable[int], matrix: Tensor) -> dict[str, Tensor]:
    """Return each task's columns of a matrix ``[row, column]``, as views; ``[row]`` for a width of 1."""
    found, start = {}, 0
    for name, width in zip(names, widths, strict=True):
        found[name] = matrix[:, start] if width == 1 else matrix[:, start : start + width]
        start += width
    return found
