"""RLW: random weights."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.balance.rule import BalanceRule, StepLosses
from gatewise.draws import generator

CPU = torch.device("cpu")


class RLW(BalanceRule):
    r"""Random loss weighting: new random weights at every step; a baseline for other rules.

    .. math:: w = T \, \mathrm{softmax}(z), \qquad z_k \sim \mathcal N(0, 1)

    where T is the number of tasks.

    NOTE[DIFF]: the paper's weights sum to 1; here their mean is 1, so that the learning rate has the same effect as
    without balancing.

    Args:
        num_tasks: T.

    Example:
        >>> RLW(3)(StepLosses(torch.ones(3, dtype=torch.bool), torch.zeros(3))).shape
        torch.Size([3])

    References:
        Lin et al.: Reasonable Effectiveness of Random Weighting: A Litmus Test for Multi-Task Learning. TMLR 2022.
    """

    def __init__(self, num_tasks: int) -> None:
        super().__init__()
        self.num_tasks = num_tasks

    @override
    def forward(self, seen: StepLosses) -> Tensor:
        # drawn on the CPU, so that a seed gives the same numbers for every device
        return self.num_tasks * torch.randn(self.num_tasks, generator=generator(CPU)).softmax(dim=0).to(seen.losses)
