"""Uncertainty weighting: weights from learnt homoscedastic uncertainty."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.balance.rule import BalanceRule, StepLosses


class Uncertainty(BalanceRule):
    r"""Learns a log variance for each task and weighs its loss by the inverse variance.

    .. math:: \mathcal L = \sum_k c_k e^{-s_k} L_k + \tfrac12 s_k, \qquad s_k = \ln \sigma_k^2

    where :math:`L_k` is task k's mean loss and :math:`c_k` is 1 for a classification (the softmax scaled by
    :math:`1/\sigma^2`) and 1/2 for a squared error (the Gaussian likelihood). At the optimum
    :math:`e^{s_k} = 2 c_k L_k`.

    Args:
        factors: :math:`c_k` of each task.
        initial_log_variance: where every :math:`s_k` starts.

    Example:
        >>> Uncertainty([1.0, 0.5])(StepLosses(torch.ones(2, dtype=torch.bool), torch.zeros(2)))
        tensor([1.0000, 0.5000])

    References:
        Kendall, Gal, Cipolla: Multi-Task Learning Using Uncertainty to Weigh Losses for Scene Geometry and Semantics.
        CVPR 2018.
    """

    factors: Tensor

    def __init__(self, factors: list[float], *, initial_log_variance: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("factors", torch.tensor(factors), persistent=False)
        self.log_variances = nn.Parameter(torch.full((len(factors),), initial_log_variance))

    @override
    def forward(self, seen: StepLosses) -> Tensor:
        return self._precisions().detach()

    @override
    def own_loss(self, losses: Tensor) -> Tensor:
        return self._precisions() * losses + self.log_variances / 2

    def _precisions(self) -> Tensor:
        precisions: Tensor = self.factors * (-self.log_variances).exp()
        return precisions
