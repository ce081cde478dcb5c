"""Labels that are 0 or 1."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn import functional

from gatewise.metrics import AUC, LOG_LOSS, PCOC, PR_AUC
from gatewise.tasks.task import Task


class BinaryTask(Task):
    r"""A probability: logistic link, cross entropy.

    .. math:: \ell(s, y) = \ln(1 + e^{s}) - y s, \qquad \hat p = \frac{1}{1 + e^{-s}}

    computed from the score s directly, so that it is finite for any score.

    Args:
        name: names the task's outputs and metrics.
        weight: multiplies the task's loss.
        rate: share of ones in the training table; the untrained model predicts it.
    """

    metrics = (AUC, LOG_LOSS, PR_AUC, PCOC)
    summary = AUC
    uncertainty_factor = 1.0

    def __init__(self, name: str, weight: float = 1.0, *, rate: float = 0.5) -> None:
        super().__init__(name, weight)
        self.rate = rate

    @property
    def initial_bias(self) -> float:
        """Log odds of the training rate."""
        return math.log(self.rate / (1 - self.rate))

    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:  # noqa: D102
        return functional.binary_cross_entropy_with_logits(scores, targets, reduction="none")

    def predict(self, scores: Tensor) -> Tensor:  # noqa: D102
        return scores.double().sigmoid()
