"""IMTL-L: learnt scales that bring all losses to 1."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.balance.rule import BalanceRule, StepLosses


class IMTLL(BalanceRule):
    r"""The loss half of impartial multi-task learning: a learnt scale for each loss.

    .. math:: \mathcal L = \sum_k e^{s_k} L_k - s_k

    where :math:`L_k` is the mean loss of task k and :math:`s_k` is learnt. At the optimum every
    :math:`e^{s_k} L_k` is 1.

    Args:
        num_tasks: number of tasks.

    Example:
        >>> IMTLL(2)(StepLosses(torch.ones(2, dtype=torch.bool), torch.zeros(2)))
        tensor([1., 1.])

    References:
        Liu et al.: Towards Impartial Multi-Task Learning. ICLR 2021.
    """

    def __init__(self, num_tasks: int) -> None:
        super().__init__()
        self.log_scales = nn.Parameter(torch.zeros(num_tasks))

    @override
    def forward(self, seen: StepLosses) -> Tensor:
        return self.log_scales.detach().exp()

    @override
    def own_loss(self, losses: Tensor) -> Tensor:
        return self.log_scales.exp() * losses - self.log_scales
