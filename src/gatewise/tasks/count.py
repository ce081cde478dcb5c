"""Labels that are counts or totals."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.metrics import GINI, MAE, POISSON_DEVIANCE, RMSE, SPEARMAN, Metric, tweedie_deviance
from gatewise.tasks.choices import check_choice
from gatewise.tasks.exponential import LARGEST, bounded_exp, growth
from gatewise.tasks.means import log_of_mean
from gatewise.tasks.task import Task
from gatewise.tasks.totals import TOTAL_RATIO


class CountTask(Task):
    r"""An expected value of 0 or more: logarithmic link, half of the unit deviance.

    .. math::
        \hat y = m e^s, \quad t = \frac{y}{m}, \qquad
        \text{poisson: } e^s - t s - t + t \ln t, \qquad
        \text{tweedie: } \frac{e^{(2 - p) s}}{2 - p} - \frac{t e^{(1 - p) s}}{1 - p} + \frac{t^{2 - p}}{(1 - p)(2 - p)}

    with the mean m of the training labels, so that the unit of the label does not change the task's weight, and the
    power p. Terms without s make the loss 0 for a perfect prediction and never negative.

    Args:
        name: names the task's outputs and metrics.
        weight: multiplies the task's loss.
        within: see :class:`Task`.
        loss: ``poisson`` or ``tweedie``.
        power: p, between 1 and 2.
        mean: m.

    Raises:
        DeclarationError: unknown loss.

    References:
        Jørgensen: Exponential Dispersion Models. Journal of the Royal Statistical Society B, 1987.
    """

    summary = GINI
    # e^-s times half of a deviance, plus s/2: the negative log likelihood of a family with dispersion e^s
    uncertainty_factor = 1.0

    def __init__(
        self,
        name: str,
        weight: float = 1.0,
        *,
        within: str | None = None,
        loss: str = "poisson",
        power: float = 1.5,
        mean: float = 1.0,
    ) -> None:
        super().__init__(name, weight, within=within)
        check_choice("loss", loss, ("poisson", "tweedie"))
        self.loss, self.power, self.mean = loss, power, mean
        tweedie = Metric("tweedie_deviance", partial(tweedie_deviance, power=power), greater_is_better=False)
        deviance = POISSON_DEVIANCE if loss == "poisson" else tweedie
        self.metrics = (deviance, RMSE, MAE, TOTAL_RATIO, GINI, SPEARMAN)

    @property
    @override
    def same_losses(self) -> Hashable:
        return type(self), self.loss, self.power

    @override
    def targets(self, labels: Tensor) -> Tensor:
        return labels / self.mean

    @override
    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        if self.loss == "poisson":
            return growth(scores) - targets * scores - targets + torch.xlogy(targets, targets)
        a, b = 1 - self.power, 2 - self.power
        return growth(b * scores) / b - targets * growth(a * scores) / a + targets.pow(b) / (a * b)

    @override
    def merged(self, scores: Tensor) -> Tensor:
        """Return the scores whose expected values are the means of the members' expected values."""
        return log_of_mean(scores.clamp(-LARGEST, LARGEST))

    @override
    def predict(self, scores: Tensor) -> Tensor:
        return self.mean * bounded_exp(scores.double())
