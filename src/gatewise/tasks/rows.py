"""Some rows as tasks see them: by name, one's own scores and labels and those of the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from torch import Tensor

ByTask = Mapping[str, Tensor]
"""For each task what is its own: ``[row]``, or ``[row, column]`` where it has several columns."""


@dataclass(frozen=True)
class Rows:
    """What a loss may look at.

    Attributes:
        scores: of every task, as the model gives them.
        targets: of every task, without gaps.
        counted: how much each row counts for a task, ``[row]``, 0 where it is not in the sample; None: all count 1.
        groups: ``[row]``, which group each row is in, or None.
    """

    scores: ByTask
    targets: ByTask
    counted: Mapping[str, Tensor | None] = field(default_factory=dict)
    groups: Tensor | None = None


def by_task(names: Iterable[str], widths: Iterable[int], matrix: Tensor) -> dict[str, Tensor]:
    """Cut a matrix ``[row, column]`` into what is each task's: views, ``[row]`` where the width is 1."""
    found, start = {}, 0
    for name, width in zip(names, widths, strict=True):
        found[name] = matrix[:, start] if width == 1 else matrix[:, start : start + width]
        start += width
    return found
