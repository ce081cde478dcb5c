"""Rows ranked by score within groups, the basis of all metrics within groups."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.metrics.sorting import ascending, descending_keys, starts


class Ranking(NamedTuple):
    """Rows sorted by group and falling score; tied rows of a group form a block.

    Groups are numbered by rising id; blocks from the first group's highest score to the last group's lowest score.

    Attributes:
        order: ``[row]``, the row at each place.
        block: ``[row]``, the block at each place.
        group: ``[block]``, the group of each block.
        ahead: ``[block]``, number of rows in the block's group with a higher score.
        size: ``[block]``, number of rows in the block.
        groups: number of groups.
    """

    order: Tensor
    block: Tensor
    group: Tensor
    ahead: Tensor
    size: Tensor
    groups: int

    def by_block(self, values: Tensor) -> Tensor:
        """Return the sums per block, ``[block]``, of values in the original order of rows, ``[row]``."""
        return values.new_zeros(len(self.group)).index_add_(0, self.block, values.index_select(0, self.order))

    def by_group(self, values: Tensor) -> Tensor:
        """Return the sums per group, ``[group]``, of values of blocks, ``[block]``."""
        return values.new_zeros(self.groups).index_add_(0, self.group, values)

    def mean_weights(self, weights: Tensor) -> Tensor:
        """Return the mean of each group's weights (``[row]``), ``[group]``."""
        return self.by_group(self.by_block(weights)) / self.by_group(self.size)


def rank(scores: Tensor, groups: Tensor) -> Ranking:
    """Return the ranking of float64 scores within int64 groups, both ``[row]``."""
    keys = descending_keys(scores)
    order = ascending(keys, groups)
    new_group = starts(groups.index_select(0, order))  # [row]
    new_block = starts(keys.index_select(0, order)) | new_group  # [row]
    first = new_block.nonzero()[:, 0]  # [block]: the place where it begins
    group = (new_group.cumsum(0) - 1).index_select(0, first)  # [block]
    group_first = new_group.nonzero()[:, 0]  # [group]: the place where it begins
    return Ranking(
        order=order,
        block=new_block.cumsum(0) - 1,
        group=group,
        ahead=first - group_first.index_select(0, group),
        size=torch.diff(first, append=first.new_tensor([len(order)])),
        groups=len(group_first),
    )


class FirstPositive(NamedTuple):
    """The highest block with a positive in every group that has a positive; ``[group]`` is over these groups.

    Attributes:
        ahead: ``[group]``, number of rows with a higher score than the block; none of them is positive.
        tied: ``[group]``, number of rows in the block.
        positives: ``[group]``, number of positive rows in the block.
        defined: ``[group]`` over all groups, bool: whether the group has a positive.
    """

    ahead: Tensor
    tied: Tensor
    positives: Tensor
    defined: Tensor

    def miss(self, drawn: Tensor, group: Tensor | slice = slice(None)) -> Tensor:
        r"""Return the probability that the first ``drawn`` rows of a block, in random order, hold no positive.

        .. math:: P = \binom{m - q}{d} \Big/ \binom{m}{d}

        with d rows drawn of m tied rows, of which q are positive.
        """
        tied, negatives = self.tied[group], (self.tied - self.positives)[group]
        left = (negatives - drawn).clamp(min=0)
        chance = _log_factorial(negatives) - _log_factorial(left) + _log_factorial(tied - drawn) - _log_factorial(tied)
        return torch.where(drawn > negatives, 0.0, chance.exp())


def first_positive(ranking: Ranking, targets: Tensor) -> FirstPositive:
    """Return the first positive of each group, for targets of 0 and 1 (``[row]``)."""
    positives = ranking.by_block(targets)  # [block]
    hits = (positives > 0).nonzero()[:, 0]  # [block with a positive]
    first = hits[starts(ranking.group[hits])]  # [group with a positive]
    defined = ranking.by_group(positives) > 0
    return FirstPositive(ranking.ahead[first], ranking.size[first], positives[first].long(), defined)


def _log_factorial(n: Tensor) -> Tensor:
    return torch.lgamma(n.double() + 1)
