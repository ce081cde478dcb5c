"""Soft uncertainty weighting: weights from the optimal uncertainties for the current losses."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.balance.rule import BalanceRule, StepLosses


class SoftUncertainty(BalanceRule):
    r"""Softmax of the inverse losses (UW-SO), without learnt parameters.

    .. math:: w_k = \frac{\exp(1 / (\tau L_k))}{\sum_j \exp(1 / (\tau L_j))}

    where :math:`L_k` is the mean loss of task k and :math:`\tau` a temperature. The optimal weights of uncertainty
    weighting are :math:`1 / L_k`; the softmax bounds them. The sum is over the tasks that are present.

    Args:
        temperature: :math:`\tau`; large: equal weights.

    Example:
        >>> SoftUncertainty()(StepLosses(torch.ones(2, dtype=torch.bool), torch.tensor([0.5, 0.5])))
        tensor([0.5000, 0.5000])

    References:
        Kirchdorfer et al.: Analytical Uncertainty-Based Loss Weighting in Multi-Task Learning. GCPR 2024.
    """

    needs = "losses"

    def __init__(self, *, temperature: float = 1.0) -> None:
        super().__init__()
        self.temperature = temperature

    @override
    def forward(self, seen: StepLosses) -> Tensor:
        inverse = 1 / (self.temperature * seen.losses.clamp(min=1e-8))
        # -1e30 and not -inf, since a step may have no task that is present
        return torch.where(seen.present, inverse, -1e30).softmax(dim=0)
