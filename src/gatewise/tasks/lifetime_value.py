"""Labels that are mostly 0, and otherwise spread over orders of magnitude."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid
from typing_extensions import override

from gatewise.metrics import AUC, GINI, MAE, RMSE, SPEARMAN, Metric
from gatewise.names import positive_name
from gatewise.tasks.exponential import LARGEST, bounded_exp
from gatewise.tasks.means import logit_of_mean
from gatewise.tasks.normal import UNIT_SPREAD, spread_of, value_losses
from gatewise.tasks.rows import ByTask
from gatewise.tasks.task import Task
from gatewise.tasks.totals import TOTAL_RATIO

BEYOND = math.log(10)
"""How far the logarithm of an expected value may be above that of the largest training label."""


class LifetimeValueTask(Task):
    r"""A value that is 0 with some probability, and otherwise log-normal.

    .. math::
        p = \sigma(s_1), \qquad z = \frac{\ln y - m}{d} \sim N(\mu, \sigma^2), \quad
        \mu = s_2, \; \sigma = \sigma_0 + \ln(1 + e^{s_3})

    with mean m and standard deviation d of the logarithms of the training labels above 0. The loss is

    .. math::
        \ell(s, y) = \mathrm{BCE}(p, [y > 0]) + [y > 0] \left(\frac{(z - \mu)^2}{2 \sigma^2} +
        \ln \frac{\sigma}{\sigma_0}\right)

    and predictions are :math:`P(y > 0) = p` and :math:`E[y] = p \, e^{m + d \mu + d^2 \sigma^2 / 2}`.
    The expected value above 0 is at most ten times the largest training label: one wide distribution would outweigh
    all other rows.

    Args:
        name: names the task's outputs and metrics.
        weight: multiplies the task's loss.
        within: see :class:`Task`.
        rate: share of the training labels above 0, which the untrained model predicts.
        log_mean: m.
        log_std: d.
        log_largest: the logarithm of the largest training label; None: it is not known, and bounds nothing.

    References:
        Wang, Liu, Miao: A Deep Probabilistic Model for Customer Lifetime Value Prediction. 2019.
    """

    # NOTE[DIFF]: the paper does not standardise the logarithms and has no lower bound of the spread
    metrics = (GINI, SPEARMAN, RMSE, MAE, TOTAL_RATIO)
    summary = GINI
    num_scores = 3
    num_targets = 2

    def __init__(
        self,
        name: str,
        weight: float = 1.0,
        *,
        within: str | None = None,
        rate: float = 0.5,
        log_mean: float = 0.0,
        log_std: float = 1.0,
        log_largest: float | None = None,
    ) -> None:
        super().__init__(name, weight, within=within)
        self.rate, self.log_mean, self.log_std = rate, log_mean, log_std
        self.log_largest = log_largest
        self.positive = positive_name(name)

    @property
    @override
    def initial_bias(self) -> float | tuple[float, ...]:
        """Scores that predict the training rate, and mean and deviation of the logarithms."""
        return math.log(self.rate / (1 - self.rate)), 0.0, UNIT_SPREAD

    @property
    @override
    def columns(self) -> tuple[str, ...]:
        return self.name, self.positive

    @property
    @override
    def outputs(self) -> tuple[str, ...]:
        return self.positive, self.name

    @override
    def metrics_of(self, output: str) -> tuple[Metric, ...]:
        return (AUC,) if output == self.positive else self.metrics

    @override
    def targets(self, labels: Tensor) -> Tensor:
        """Return ``[row, 2]``: whether the value is above 0, and its standardised logarithm (0 if not)."""
        positive = labels > 0
        there = torch.where(labels.isnan(), torch.nan, positive.double())
        logarithm = torch.where(positive, labels, 1.0).log()
        return torch.stack([there, torch.where(positive, (logarithm - self.log_mean) / self.log_std, 0.0)], dim=1)

    @override
    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        score, mean, width = scores.unbind(dim=1)
        there, value = targets.unbind(dim=1)
        entropy = binary_cross_entropy_with_logits(score, there, reduction="none")
        return entropy + there * value_losses(value, mean, spread_of(width))

    @override
    def merged(self, scores: Tensor) -> Tensor:
        """Return scores with the mean probability, the mean width and the mean of the members' expected values."""
        return self.merged_by(scores, torch.zeros_like(scores[..., 0]))

    def merged_by(self, scores: Tensor, log_weights: Tensor) -> Tensor:
        """Return merged scores of members that count with the weights of these logarithms ``[row, member]``."""
        score, mean, width = scores.unbind(dim=2)
        there, same = logit_of_mean(score, log_weights), width.mean(dim=1)
        expected = logsigmoid(score) + self._exponent(mean, width).clamp(-LARGEST, LARGEST)
        of_all = torch.logsumexp(expected + log_weights, dim=1) - torch.logsumexp(log_weights, dim=1)
        value = of_all - logsigmoid(there) - (self.log_std * spread_of(same)).square() / 2
        return torch.stack([there, value / self.log_std, same], dim=1)

    def _exponent(self, mean: Tensor, width: Tensor) -> Tensor:
        """Return the logarithm of the expected value above 0, less m."""
        exponent = self.log_std * mean + (self.log_std * spread_of(width)).square() / 2
        return exponent if self.log_largest is None else exponent.clamp(max=self.log_largest + BEYOND - self.log_mean)

    @override
    def predict(self, scores: Tensor) -> Tensor:
        score, mean, width = scores.double().unbind(dim=1)
        there = score.sigmoid()
        value = math.exp(self.log_mean) * bounded_exp(self._exponent(mean, width))
        return torch.stack([there * value, there], dim=1)

    @override
    def judged(self, labels: ByTask) -> dict[str, Tensor]:
        own = labels[self.name]
        return {self.positive: torch.where(own.isnan(), torch.nan, (own > 0).double()), self.name: own}
