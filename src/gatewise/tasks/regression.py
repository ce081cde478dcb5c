"""Labels that are numbers."""

from __future__ import annotations

from collections.abc import Hashable
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import huber_loss
from typing_extensions import override

from gatewise.metrics import MAE, R2, RMSE, SPEARMAN, Metric, pinball
from gatewise.tasks.choices import check_choice
from gatewise.tasks.task import Task


class RegressionTask(Task):
    r"""A number: identity link, an error of standardised targets.

    .. math:: z = \frac{y - \mu}{\sigma}, \qquad \hat y = \mu + \sigma s

    so that the unit of the label does not change the task's weight. With :math:`e = z - s` the loss is

    .. math::
        \text{mse: } e^2, \qquad \text{mae: } |e|, \qquad
        \text{huber: } \begin{cases} e^2 / 2 & |e| \le \delta \\ \delta (|e| - \delta / 2) & |e| > \delta \end{cases},
        \qquad \text{quantile: } \max(q e, (q - 1) e)

    which learns the mean, the median, a value between both that outliers hardly move, or the quantile q.

    Args:
        name: names the task's outputs and metrics.
        weight: multiplies the task's loss.
        within: see :class:`Task`.
        loss: ``mse``, ``mae``, ``huber`` or ``quantile``.
        delta: :math:`\delta`.
        quantile: q.
        mean: mean of the training labels.
        std: standard deviation of the training labels.
        start: prediction of the untrained model; by default the mean.

    Raises:
        DeclarationError: unknown loss.

    References:
        Koenker, Bassett: Regression Quantiles. Econometrica 1978.
    """

    metrics: tuple[Metric, ...] = (RMSE, MAE, R2, SPEARMAN)
    summary = R2
    uncertainty_factor = 0.5

    def __init__(
        self,
        name: str,
        weight: float = 1.0,
        *,
        within: str | None = None,
        loss: str = "mse",
        delta: float = 1.0,
        quantile: float = 0.5,
        mean: float = 0.0,
        std: float = 1.0,
        start: float | None = None,
    ) -> None:
        super().__init__(name, weight, within=within)
        check_choice("loss", loss, ("mse", "mae", "huber", "quantile"))
        self.loss, self.delta, self.quantile = loss, delta, quantile
        self.mean, self.std, self.start = mean, std, mean if start is None else start
        if loss == "quantile":
            at_quantile = Metric("pinball", partial(pinball, quantile=quantile), greater_is_better=False)
            self.metrics = (*self.metrics, at_quantile)
        if loss in ("mae", "quantile"):
            # a well-learnt median or other quantile need not explain any variance
            self.summary = SPEARMAN

    @property
    @override
    def initial_bias(self) -> float | tuple[float, ...]:
        return (self.start - self.mean) / self.std

    @property
    @override
    def same_losses(self) -> Hashable:
        return type(self), self.loss, self.delta, self.quantile

    @override
    def targets(self, labels: Tensor) -> Tensor:
        return (labels - self.mean) / self.std

    @override
    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        match self.loss:
            case "mae":
                return (targets - scores).abs()
            case "huber":
                return huber_loss(scores, targets, reduction="none", delta=self.delta)
            case "quantile":
                error = targets - scores
                return torch.maximum(self.quantile * error, (self.quantile - 1) * error)
            case _:
                return (scores - targets).square()

    @override
    def predict(self, scores: Tensor) -> Tensor:
        return scores.double() * self.std + self.mean
