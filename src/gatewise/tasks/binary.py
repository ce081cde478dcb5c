"""Labels that are 0 or 1."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid
from typing_extensions import override

from gatewise.metrics import AUC, BRIER, ECE, GAUC, HIT_RATE, LOG_LOSS, MRR, NDCG, NORMALISED_ENTROPY, PCOC, PR_AUC
from gatewise.tasks.means import logit_of_mean
from gatewise.tasks.rows import ByTask
from gatewise.tasks.task import Task


class BinaryTask(Task):
    r"""A probability: logistic link, cross entropy.

    .. math:: \ell(s, y) = \ln(1 + e^{s}) - y s, \qquad \hat p = \frac{1}{1 + e^{-s}}

    computed from the score s directly, so that the loss is finite for any score. With ``focal``, well predicted rows
    count less:

    .. math:: \ell(s, y) = -(1 - p_y)^\gamma \ln p_y, \qquad p_1 = \hat p, \; p_0 = 1 - \hat p

    Args:
        name: names the task's outputs and metrics.
        weight: multiplies the task's loss.
        within: see :class:`Task`.
        focal: :math:`\gamma`; 0: cross entropy. With a focal loss, predicted probabilities are too near to one half.
        rate: share of ones in the training table, which the untrained model predicts.
        grouped: whether metrics within groups are computed.
        kept: share of the negatives that tables with labels still hold; or ``"column"``, if a second label column has
            the share of each row. Metrics count a negative 1 / share times, as the weights of training rows do.

    References:
        Lin et al.: Focal Loss for Dense Object Detection. ICCV 2017.
    """

    metrics = (AUC, LOG_LOSS, PR_AUC, PCOC, NORMALISED_ENTROPY, ECE, BRIER)
    summary = AUC
    uncertainty_factor = 1.0

    def __init__(
        self,
        name: str,
        weight: float = 1.0,
        *,
        within: str | None = None,
        focal: float = 0.0,
        rate: float = 0.5,
        grouped: bool = False,
        kept: float | Literal["column"] = 1.0,
    ) -> None:
        super().__init__(name, weight, within=within)
        self.focal, self.rate, self.kept = focal, rate, kept
        self.num_labels = 2 if kept == "column" else 1
        self.group_metrics = (GAUC, NDCG, MRR, HIT_RATE) if grouped else ()

    @property
    @override
    def initial_bias(self) -> float | tuple[float, ...]:
        """Log odds of the training rate."""
        return math.log(self.rate / (1 - self.rate))

    @override
    def targets(self, labels: Tensor) -> Tensor:
        return labels if labels.dim() == 1 else labels[:, 0]

    @override
    def judged(self, labels: ByTask) -> dict[str, Tensor]:
        return {self.name: self.targets(labels[self.name])}

    def counts(self, labels: Tensor) -> Tensor:
        """Return for how many rows each row with these labels stands, ``[row]``: a negative for all that were like it.

        Shape:
            - labels: ``[row]``, or ``[row, 2]`` with the share that was kept
        """
        share = labels[:, 1] if self.kept == "column" else self.kept
        return torch.where(self.targets(labels) == 0, 1 / share, 1.0)

    @override
    def judged_weights(self, labels: ByTask) -> dict[str, Tensor]:
        return {} if self.kept == 1 else {self.name: self.counts(labels[self.name])}

    @property
    @override
    def same_losses(self) -> Hashable:
        return type(self), self.focal

    @override
    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        entropy = binary_cross_entropy_with_logits(scores, targets, reduction="none")
        if not self.focal:
            return entropy
        # the probability of the wrong answer: 1 - p
        doubt = logsigmoid(scores * (1 - 2 * targets))
        return (self.focal * doubt).exp() * entropy

    @override
    def merged(self, scores: Tensor) -> Tensor:
        """Return the scores whose probabilities are the means of the members' probabilities."""
        return logit_of_mean(scores)

    @override
    def predict(self, scores: Tensor) -> Tensor:
        return scores.double().sigmoid()
