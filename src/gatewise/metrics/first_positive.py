"""Where in a ranked group the first positive stands, for every order that tied rows may take."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.metrics.order import starts
from gatewise.metrics.ranking import Ranking


class FirstPositive(NamedTuple):
    """The highest block with a positive, of every group that has one; ``[group]`` stands for these groups.

    Attributes:
        ahead: ``[group]``, how many rows score higher than the block, none of them positive.
        tied: ``[group]``, how many rows the block holds.
        positives: ``[group]``, how many of those are positive.
        defined: ``[group]`` over all groups, bool: which have a positive.
    """

    ahead: Tensor
    tied: Tensor
    positives: Tensor
    defined: Tensor

    def miss(self, drawn: Tensor, group: Tensor | slice = slice(None)) -> Tensor:
        r"""Return how likely the first ``drawn`` of a block's rows, in random order, hold no positive.

        .. math:: P = \binom{m - q}{d} \Big/ \binom{m}{d}

        with d rows drawn of m tied ones, q of which are positive.
        """
        tied, negatives = self.tied[group], (self.tied - self.positives)[group]
        left = (negatives - drawn).clamp(min=0)
        chance = _log_factorial(negatives) - _log_factorial(left) + _log_factorial(tied - drawn) - _log_factorial(tied)
        return torch.where(drawn > negatives, 0.0, chance.exp())


def first_positive(ranking: Ranking, targets: Tensor) -> FirstPositive:
    """Find the first positive of each group, for targets of 0 and 1 (``[row]``)."""
    positives = ranking.by_block(targets)  # [block]
    hits = (positives > 0).nonzero()[:, 0]  # [block with a positive]
    first = hits[starts(ranking.group[hits])]  # [group with a positive]
    defined = ranking.by_group(positives) > 0
    return FirstPositive(ranking.ahead[first], ranking.size[first], positives[first].long(), defined)


def _log_factorial(n: Tensor) -> Tensor:
    return torch.lgamma(n.double() + 1)
