"""The delayed feedback model."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.tasks.late.estimator import Estimator, LateRows, log_of_one_minus_exp

REACH = math.log(100)
"""Rates of waiting are within a hundredth and a hundred times the rate of the training table."""


class DelayedFeedback(Estimator):
    r"""The likelihood of what is seen so far: the wait for a one is exponential, and a zero may be a one to come.

    .. math::
        \ell = \begin{cases}
        -\ln p - \ln f(w) & y = 1, \text{ seen after the wait } w \\
        -\ln p - \ln F(a) & y = 1, \text{ seen at an unknown time} \\
        -\ln (1 - p + p \, (1 - F(a))) & y = 0, \text{ at the age } a < 1 \\
        -\ln (1 - p) & y = 0, \text{ final}
        \end{cases} \qquad
        F(a) = \frac{1 - e^{-\lambda a}}{1 - e^{-\lambda}}, \quad f = F'

    with times in units of the delay, p the probability of the final label and :math:`\lambda` the rate of waiting,
    which the second score of the task's tower says row by row. The density is taken relative to the highest there can
    be, so that no loss is below 0.

    References:
        Chapelle: Modeling Delayed Feedback in Display Advertising. KDD 2014.
    """

    # NOTE[DIFF]: the paper's wait has no end. Here a label that is final is final: waits end with the delay, so the
    # exponential distribution is cut off there, and no probability of a later one leaks into p.

    @property
    @override
    def starts(self) -> tuple[float, ...]:
        return (0.0,)

    @override
    def losses(self, rows: LateRows) -> Tensor:
        log_rate = REACH * (rows.delay[:, 0] / REACH).tanh() - math.log(self.mean_wait)
        rate = log_rate.exp()
        whole = log_of_one_minus_exp(rate)
        highest = 100 / self.mean_wait
        density = log_rate - rate * rows.wait.clamp(min=0) - whole - math.log(highest / -math.expm1(-highest))
        seen = torch.where(rows.wait >= 0, density, log_of_one_minus_exp(rate * rows.age) - whole)
        # what a final row would give here is not used, and must be finite
        age = torch.where(rows.final, 0.5, rows.age)
        to_come = -rate * age + log_of_one_minus_exp(rate * (1 - age)) - whole
        zero = torch.where(
            rows.final, rows.probability.no, torch.logaddexp(rows.probability.no, rows.probability.yes + to_come)
        )
        return torch.where(rows.ones, -rows.probability.yes - seen, -zero)
