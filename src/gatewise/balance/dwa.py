"""DWA: weights from the rates at which losses fall from epoch to epoch."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.balance.rule import BalanceRule, StepLosses


class DWA(BalanceRule):
    r"""Dynamic weight average: a task whose loss falls more slowly gets a larger weight.

    .. math::
        w_k(e) = T \, \frac{\exp(r_k / \tau)}{\sum_j \exp(r_j / \tau)}, \qquad r_k = \frac{L_k(e - 1)}{L_k(e - 2)}

    where :math:`L_k(e)` is the mean loss of task k in epoch e, T the number of tasks and :math:`\tau` a temperature. In
    the first two epochs, and for a task without a row in one of the last two, :math:`r_k = 1`. The unit of a loss does
    not matter.

    Args:
        num_tasks: T.
        temperature: :math:`\tau`; large: equal weights.

    Example:
        >>> rule = DWA(2, temperature=1.0)
        >>> rule.after_epoch(torch.tensor([1.0, 1.0]))
        >>> rule.after_epoch(torch.tensor([0.5, 1.0]))
        >>> rule(StepLosses(torch.ones(2, dtype=torch.bool), torch.zeros(2)))
        tensor([0.7551, 1.2449])

    References:
        Liu, Johns, Davison: End-to-End Multi-Task Learning with Attention. CVPR 2019.
    """

    means: Tensor

    def __init__(self, num_tasks: int, *, temperature: float = 2.0) -> None:
        super().__init__()
        self.temperature = temperature
        # mean losses of the last but one epoch and of the last epoch
        self.register_buffer("means", torch.full((2, num_tasks), torch.nan))

    @override
    def forward(self, seen: StepLosses) -> Tensor:
        before, last = self.means
        rates = last / before
        rates = torch.where(rates.isfinite(), rates, 1.0)
        return len(rates) * (rates / self.temperature).softmax(dim=0)

    @override
    def after_epoch(self, losses: Tensor) -> None:
        self.means = torch.stack([self.means[1], losses.to(self.means)])
