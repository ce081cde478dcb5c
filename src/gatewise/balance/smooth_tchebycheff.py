"""Smooth Tchebycheff: weights that reduce the largest loss."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.balance.rule import BalanceRule, StepLosses


class SmoothTchebycheff(BalanceRule):
    r"""Minimises a smooth maximum of the losses, which reaches trade-offs that no weighted sum reaches.

    .. math:: \mathcal L = \mu \ln \sum_k e^{L_k / \mu}, \qquad w_k = \frac{\partial \mathcal L}{\partial L_k}
        = \mathrm{softmax}(L / \mu)_k

    where :math:`L_k` is the mean loss of task k and :math:`\mu` the smoothness of the maximum. The sum is over the
    tasks that are present. The units of the losses matter.

    NOTE[DIFF]: preferences :math:`\lambda_k` of the paper are 1 and its ideal point is 0; a declared weight multiplies
    the weight and does not change the maximum.

    Args:
        mu: :math:`\mu`; a small value gives all weight to the largest loss.

    Example:
        >>> SmoothTchebycheff(mu=1.0)(StepLosses(torch.ones(2, dtype=torch.bool), torch.tensor([0.5, 1.5])))
        tensor([0.2689, 0.7311])

    References:
        Lin et al.: Smooth Tchebycheff Scalarization for Multi-Objective Optimization. ICML 2024.
    """

    needs = "losses"

    def __init__(self, *, mu: float = 0.5) -> None:
        super().__init__()
        self.mu = mu

    @override
    def forward(self, seen: StepLosses) -> Tensor:
        # -1e30 and not -inf, since a step may have no task that is present
        return torch.where(seen.present, seen.losses / self.mu, -1e30).softmax(dim=0)
