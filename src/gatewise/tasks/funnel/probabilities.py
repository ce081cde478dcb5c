"""Probabilities of a funnel's steps, as logarithms that are finite for any score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


class LogProbability(NamedTuple):
    """The logarithms of a probability p and of 1 - p, both ``[row]``."""

    yes: Tensor
    no: Tensor

    def cross_entropy(self, targets: Tensor) -> Tensor:
        """Return the cross entropy with targets ``[row]`` between 0 and 1."""
        return -(targets * self.yes + (1 - targets) * self.no)

    def detach(self) -> LogProbability:
        """Return the logarithms without gradient."""
        return LogProbability(self.yes.detach(), self.no.detach())


def of_score(score: Tensor) -> LogProbability:
    """Return the log probability of a logistic score ``[row]``."""
    return LogProbability(logsigmoid(score), logsigmoid(-score))


def of_branches(branch: LogProbability, taken: LogProbability, passed: LogProbability) -> LogProbability:
    r"""Return the log probability of a step that may follow with or without a branch.

    .. math:: p = b \, p_1 + (1 - b) \, p_0
    """
    return LogProbability(
        torch.logaddexp(branch.yes + taken.yes, branch.no + passed.yes),
        torch.logaddexp(branch.yes + taken.no, branch.no + passed.no),
    )


def of_all(steps: Sequence[LogProbability]) -> LogProbability:
    r"""Return the log probability of taking all steps, from each step's probability given the steps before.

    .. math:: \ln \prod_j p_j = \sum_j \ln p_j, \qquad \ln (1 - \prod_j p_j) = \ln \sum_j \prod_{i < j} p_i (1 - p_j)

    The second sum is the probability of leaving at some step; its terms are positive, so that nothing cancels out.
    """
    reached, left = steps[0]
    for step in steps[1:]:
        left = torch.logaddexp(left, reached + step.no)
        reached = reached + step.yes
    return LogProbability(reached, left)
