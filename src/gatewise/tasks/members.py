"""Tasks of a model with several members: every member learns from each row, and their predictions are averaged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.tasks.all_tasks import scores_by_task
from gatewise.tasks.task import Task


class MemberRows(NamedTuple):
    """What the losses of all members need, with the members of a row side by side.

    Shape:
        - targets ``[row * member, target]``
        - weights ``[row * member, task]`` or None
        - groups ``[row * member]`` or None: a member's rows are compared with each other only
    """

    targets: Tensor
    weights: Tensor | None
    groups: Tensor | None


def for_members(count: int, targets: Tensor, weights: Tensor | None, groups: Tensor | None) -> MemberRows:
    """Return the rows of a batch, every one once for each of ``count`` members."""
    if count == 1:
        return MemberRows(targets, weights, groups)
    own = None if groups is None else _groups(count, groups)
    spread = None if weights is None else weights.repeat_interleave(count, dim=0)
    return MemberRows(targets.repeat_interleave(count, dim=0), spread, own)


def _groups(count: int, groups: Tensor) -> Tensor:
    """Return groups that no two members share; a negative number stays no group."""
    member = torch.arange(count, device=groups.device)
    apart = groups.unsqueeze(1) * count + member
    return torch.where(groups.unsqueeze(1) < 0, groups.unsqueeze(1), apart).flatten()


def merged_scores(tasks: Sequence[Task], scores: Tensor) -> Tensor:
    """Return scores that predict the mean of the members' predictions, see :meth:`Task.merged`.

    Shape:
        - scores ``[row, member, score]``
        - output ``[row, score]``
    """
    rows, members = scores.shape[:2]
    own = scores_by_task(tasks, scores.flatten(0, 1))
    apart = {name: part.reshape(rows, members, *part.shape[1:]) for name, part in own.items()}
    return torch.cat([task.merged_among(apart).reshape(rows, task.num_scores) for task in tasks], dim=1)
