"""The contract of estimators of a probability from labels that are not final yet."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from gatewise.tasks.funnel.probabilities import LogProbability

LEAST = 1e-6
"""Least share of a delay that is told from 0."""


@dataclass(frozen=True)
class LateRows:
    """Rows whose labels may still become 1; times are shares of the delay, after which a label is final.

    Attributes:
        probability: log probability that the final label is 1.
        delay: ``[row, score]``, the scores of the estimator's model of waits.
        ones: bool ``[row]``, rows whose label is 1 by now.
        age: ``[row]``, from 0 to 1: by 1 the label is final.
        wait: ``[row]``, from a row's time until its label became 1; below 0: not known.
    """

    probability: LogProbability
    delay: Tensor
    ones: Tensor
    age: Tensor
    wait: Tensor

    @property
    def final(self) -> Tensor:
        """Rows whose label does not change any more."""
        return self.age >= 1


class Estimator(ABC):
    """Learns the probability of the final label, and a model of the wait until it is seen.

    An estimator is one subclass.

    Args:
        mean_wait: mean wait of the ones in the training table, in delays.
        bounds: rising bounds of parts of the delay, from 0 to 1, in each of which waits are about even.
    """

    def __init__(self, mean_wait: float = 0.25, bounds: Sequence[float] = (0.0, 0.25, 0.5, 1.0)) -> None:
        self.mean_wait, self.bounds = mean_wait, tuple(bounds)

    @property
    @abstractmethod
    def starts(self) -> tuple[float, ...]:
        """Initial scores of the model of waits; their number is the number of its scores."""

    @abstractmethod
    def losses(self, rows: LateRows) -> Tensor:
        """Return the loss of every row, at least 0."""


def log_of_one_minus_exp(x: Tensor) -> Tensor:
    """Return the logarithm of 1 - exp(-x) for x above 0, finite from 0 on."""
    return (-torch.expm1(-x.clamp(min=LEAST))).log()
