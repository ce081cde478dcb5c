"""Probabilities of the steps of a funnel, as logarithms that stay finite at any score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid


class LogProbability(NamedTuple):
    """The logarithms of a probability and of what it lacks to 1, both ``[row]``."""

    yes: Tensor
    no: Tensor

    def cross_entropy(self, targets: Tensor) -> Tensor:
        """Return the loss of targets ``[row]`` between 0 and 1."""
        return -(targets * self.yes + (1 - targets) * self.no)

    def detach(self) -> LogProbability:
        """Return the same without gradient."""
        return LogProbability(self.yes.detach(), self.no.detach())


def of_score(score: Tensor) -> LogProbability:
    """Return that of a logistic score ``[row]``."""
    return LogProbability(logsigmoid(score), logsigmoid(-score))


def of_branches(branch: LogProbability, taken: LogProbability, passed: LogProbability) -> LogProbability:
    r"""Return that of a step which follows whether or not a branch was taken.

    .. math:: p = b \, p_1 + (1 - b) \, p_0
    """
    return LogProbability(
        torch.logaddexp(branch.yes + taken.yes, branch.no + passed.yes),
        torch.logaddexp(branch.yes + taken.no, branch.no + passed.no),
    )


def of_all(steps: Sequence[LogProbability]) -> LogProbability:
    r"""Return that of taking all steps, each given those before it.

    .. math:: \ln \prod_j p_j = \sum_j \ln p_j, \qquad \ln (1 - \prod_j p_j) = \ln \sum_j \prod_{i < j} p_i (1 - p_j)

    The second is the probability of leaving at some step: a sum of positive terms, so nothing cancels out.
    """
    reached, left = steps[0]
    for step in steps[1:]:
        left = torch.logaddexp(left, reached + step.no)
        reached = reached + step.yes
    return LogProbability(reached, left)
