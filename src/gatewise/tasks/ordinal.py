"""Labels that are one of several ordered levels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid, pad, softplus
from typing_extensions import override

from gatewise.metrics import MAE, R2, RMSE, SPEARMAN
from gatewise.tasks.means import logit_of_mean
from gatewise.tasks.task import Task

CLOSEST = 1e-6
"""The least that two neighbouring logits differ by when members are merged."""


class OrdinalTask(Task):
    r"""The probability of exceeding each level: cumulative logistic links that cannot cross.

    .. math::
        P(y > v_k) = \sigma(c_k), \qquad c_1 = s_1, \quad c_k = c_{k-1} - \ln(1 + e^{s_k}), \qquad k = 1, \dots, K - 1

    for levels :math:`v_1 < \dots < v_K`. The loss is the negative log likelihood of the level. As
    :math:`\sigma(a) - \sigma(b) = \sigma(a) \, \sigma(-b) \, (1 - e^{b - a})`, and for neighbours the last factor is
    :math:`\sigma(s_k)`,

    .. math::
        \ell(s, v_k) = -\ln \left(\sigma(c_{k-1}) - \sigma(c_k)\right)
        = -\ln \sigma(c_{k-1}) - \ln \sigma(-c_k) - \ln \sigma(s_k)

    which is finite for any score; the lowest level has only the second term, the highest level only the first.
    Predictions are :math:`\sum_k v_k P(y = v_k)` and :math:`P(y \ge v_k)` for k > 1.

    Args:
        name: names the task's outputs and metrics.
        weight: multiplies the task's loss.
        within: see :class:`Task`.
        levels: three or more rising numbers.
        rates: each level's share of the training labels, which the untrained model predicts; by default all equal.

    References:
        McCullagh: Regression Models for Ordinal Data. Journal of the Royal Statistical Society B, 1980.
    """

    metrics = (RMSE, MAE, R2, SPEARMAN)
    summary = SPEARMAN

    def __init__(
        self,
        name: str,
        weight: float = 1.0,
        *,
        within: str | None = None,
        levels: Sequence[float] = (),
        rates: Sequence[float] | None = None,
    ) -> None:
        super().__init__(name, weight, within=within)
        self.levels = torch.tensor(levels, dtype=torch.float64)
        self.rates = tuple(rates or (1 / len(levels) for _ in levels))
        self.num_scores = len(levels) - 1
        self.above = tuple(f"{name}[>={level:.15g}]" for level in self.levels[1:].tolist())

    @property
    @override
    def initial_bias(self) -> float | tuple[float, ...]:
        """Scores that predict the training rates."""
        above = [sum(self.rates[k:]) for k in range(1, len(self.rates))]
        odds = [math.log(share / (1 - share)) for share in above]
        steps = (math.log(math.expm1(before - after)) for before, after in pairwise(odds))
        return (odds[0], *steps)

    @property
    @override
    def columns(self) -> tuple[str, ...]:
        return self.name, *self.above

    @override
    def targets(self, labels: Tensor) -> Tensor:
        """Return the position of each label's level."""
        position = torch.searchsorted(self.levels, labels.contiguous()).double()
        return torch.where(labels.isnan(), torch.nan, position)

    @override
    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        logits = _logits(scores)
        # [row, level]
        above_lower, not_above = pad(logsigmoid(logits), (1, 0)), pad(logsigmoid(-logits), (0, 1))
        apart = pad(logsigmoid(scores[:, 1:]), (1, 1))
        likelihood = above_lower + not_above + apart
        return -likelihood.gather(1, targets.long().unsqueeze(1)).squeeze(1)

    @override
    def merged(self, scores: Tensor) -> Tensor:
        """Return the scores whose probabilities of exceeding each level are the means of the members' probabilities."""
        above = logit_of_mean(_logits(scores.flatten(0, 1)).reshape(scores.shape))
        gaps = -above.diff(dim=1).clamp(max=-CLOSEST)
        # the inverse of ln(1 + e^s)
        return torch.cat([above[:, :1], gaps + torch.log(-torch.expm1(-gaps))], dim=1)

    @override
    def predict(self, scores: Tensor) -> Tensor:
        above = _logits(scores.double()).sigmoid()
        expected = self.levels[0] + above @ self.levels.diff()
        return torch.cat([expected.unsqueeze(1), above], dim=1)


def _logits(scores: Tensor) -> Tensor:
    """Return the logit of exceeding each level but the highest, ``[row, level - 1]``, falling along the levels."""
    first = scores[:, :1]
    return torch.cat([first, first - softplus(scores[:, 1:]).cumsum(dim=1)], dim=1)
