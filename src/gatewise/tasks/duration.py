"""Labels that are durations, censored at a limit."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.special import log_ndtr, ndtr
from typing_extensions import override

from gatewise.metrics import MAE, R2, RMSE, SPEARMAN
from gatewise.tasks.exponential import LARGEST
from gatewise.tasks.normal import UNIT_SPREAD, log_between, spread_of, value_losses
from gatewise.tasks.rows import ByTask
from gatewise.tasks.task import Task


class DurationTask(Task):
    r"""A time whose logarithm is normal, censored at 0 and at a limit (a two-sided Tobit model).

    .. math::
        x = \ln\left(1 + \frac{t}{u}\right) = m + d z, \qquad z \sim N(\mu, \sigma^2), \quad
        \mu = s_1, \; \sigma = \sigma_0 + \ln(1 + e^{s_2})

    with the unit u, and mean m and standard deviation d of x among the training labels. A label at the limit L says
    only that x is at least its value there, and a label of 0 only that x is at most 0:

    .. math::
        \ell(s, t) = \begin{cases}
        -\ln \Phi\left((0' - \mu) / \sigma\right) & t \le 0 \\
        (z - \mu)^2 / (2 \sigma^2) + \ln (\sigma / \sigma_0) & 0 < t < L \\
        -\ln \Phi\left((\mu - L') / \sigma\right) & t \ge L
        \end{cases}

    where :math:`0'` and :math:`L'` are z at 0 and at the limit. The prediction is the time up to the limit. With mean
    :math:`M = m + d \mu` and deviation :math:`S = d \sigma` of x, and :math:`\lambda = \ln(1 + L / u)`,

    .. math::
        \frac{E[\min(t, L)]}{u} = e^{M + S^2 / 2} \left[\Phi\left(\tfrac{\lambda - M}{S} - S\right) -
        \Phi\left(-\tfrac{M}{S} - S\right)\right] - \left[\Phi\left(\tfrac{\lambda - M}{S}\right) -
        \Phi\left(-\tfrac{M}{S}\right)\right] + \frac{L}{u} \, \Phi\left(\tfrac{M - \lambda}{S}\right)

    Metrics use :math:`\min(t, L)` too: times beyond the limit, such as of a video watched twice, count as the limit.

    Args:
        name: names the task's outputs and metrics.
        weight: multiplies the task's loss.
        within: see :class:`Task`.
        limited: whether labels have a second column with the limit; NaN: no limit.
        unit: u.
        log_mean: m.
        log_std: d.

    References:
        Tobin: Estimation of Relationships for Limited Dependent Variables. Econometrica 1958.
    """

    metrics = (RMSE, MAE, R2, SPEARMAN)
    summary = SPEARMAN
    num_scores = 2
    num_targets = 2

    def __init__(
        self,
        name: str,
        weight: float = 1.0,
        *,
        within: str | None = None,
        limited: bool = False,
        unit: float = 1.0,
        log_mean: float = 0.0,
        log_std: float = 1.0,
    ) -> None:
        super().__init__(name, weight, within=within)
        self.num_labels = 2 if limited else 1
        self.unit, self.log_mean, self.log_std = unit, log_mean, log_std

    @property
    @override
    def initial_bias(self) -> float | tuple[float, ...]:
        """Scores that predict mean and deviation of the training labels' logarithms."""
        return 0.0, UNIT_SPREAD

    @override
    def targets(self, labels: Tensor) -> Tensor:
        """Return ``[row, 2]``: z, censored, and the side: -1 censored at 0, 0 observed, 1 censored at the limit."""
        time, limit = self._time_and_limit(labels)
        seen = torch.minimum(time, limit).clamp(min=0)
        value = ((seen / self.unit).log1p() - self.log_mean) / self.log_std
        return torch.stack([value, (time >= limit).double() - (time <= 0).double()], dim=1)

    @override
    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        mean, spread = scores[:, 0], spread_of(scores[:, 1])
        value, side = targets.unbind(dim=1)
        # for a censored row: the probability that z is at least, or at most, the censored value
        beyond = -log_ndtr(side * (mean - value) / spread)
        return torch.where(side == 0, value_losses(value, mean, spread), beyond)

    @override
    def predict(self, scores: Tensor) -> Tensor:
        """Return the expected time without a limit."""
        return self._expected(scores, torch.full(scores.shape[:1], torch.inf, dtype=torch.float64))

    @override
    def predictions(self, scores: ByTask, labels: ByTask) -> dict[str, Tensor]:
        _, limit = self._time_and_limit(labels[self.name])
        return self.named(self._expected(scores[self.name], limit))

    @override
    def judged(self, labels: ByTask) -> dict[str, Tensor]:
        return {self.name: torch.minimum(*self._time_and_limit(labels[self.name]))}

    def _time_and_limit(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return time and limit, both ``[row]``; an unknown limit is infinite."""
        if self.num_labels == 1:
            return labels, torch.full_like(labels, torch.inf)
        time, limit = labels.unbind(dim=1)
        return time, limit.nan_to_num(nan=torch.inf, posinf=torch.inf)

    def _expected(self, scores: Tensor, limit: Tensor) -> Tensor:
        """Return the expected time up to the limit, both ``[row]``."""
        exact, limit = scores.double(), limit / self.unit
        mean = self.log_mean + self.log_std * exact[:, 0]
        spread = self.log_std * spread_of(exact[:, 1])
        start, end = -mean / spread, (limit.log1p() - mean) / spread
        exponent = mean + spread.square() / 2 + log_between(start - spread, end - spread)
        grown = exponent.clamp(max=self.log_mean + LARGEST).exp() - log_between(start, end).exp()
        reached = torch.where(limit.isinf(), 0.0, limit * ndtr(-end))
        return self.unit * torch.minimum((grown + reached).clamp(min=0), limit)
