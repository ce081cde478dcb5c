"""Constrained uncertainty weighting: learnt weights with a product of 1."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.balance.rule import BalanceRule, StepLosses


class ConstrainedUncertainty(BalanceRule):
    r"""Uncertainty weighting whose variances have a product of 1.

    .. math:: \mathcal L = \sum_k e^{-\bar s_k} L_k, \qquad \bar s_k = s_k - \frac1T \sum_j s_j

    where :math:`L_k` is the mean loss of task k, T the number of tasks and :math:`s_k` is learnt. At the optimum all
    :math:`e^{-\bar s_k} L_k` are equal, for any units of the losses. Without the constraint all weights grow while all
    losses fall, which acts like a hidden change of the learning rate.

    NOTE[DIFF]: in place of the constraint the paper has a term :math:`\tfrac12 s_k`, which would sum to 0 here.
    The factors :math:`c_k` of the likelihoods move every optimum by a constant, and are left out.

    Args:
        num_tasks: T.

    Example:
        >>> ConstrainedUncertainty(2)(StepLosses(torch.ones(2, dtype=torch.bool), torch.zeros(2)))
        tensor([1., 1.])

    References:
        Kendall, Gal, Cipolla: Multi-Task Learning Using Uncertainty to Weigh Losses for Scene Geometry and Semantics.
        CVPR 2018.
    """

    def __init__(self, num_tasks: int) -> None:
        super().__init__()
        self.log_variances = nn.Parameter(torch.zeros(num_tasks))

    @override
    def forward(self, seen: StepLosses) -> Tensor:
        return self._precisions().detach()

    @override
    def own_loss(self, losses: Tensor) -> Tensor:
        return self._precisions() * losses

    def _precisions(self) -> Tensor:
        return (self.log_variances.mean() - self.log_variances).exp()
