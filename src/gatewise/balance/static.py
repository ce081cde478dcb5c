"""Constant task weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.balance.rule import BalanceRule, StepLosses


class Static(BalanceRule):
    r"""Weighs every task 1, or by a given number.

    .. math:: \mathcal L = \sum_k w_k L_k

    Args:
        weights: :math:`w_k`, one per task; None: 1.

    Example:
        >>> Static()(StepLosses(torch.ones(2, dtype=torch.bool), torch.zeros(2)))
        tensor([1., 1.])
    """

    weights: Tensor | None

    def __init__(self, weights: Sequence[float] | None = None) -> None:
        super().__init__()
        given = None if weights is None else torch.tensor(weights)
        self.register_buffer("weights", given, persistent=False)

    @override
    def forward(self, seen: StepLosses) -> Tensor:
        return torch.ones_like(seen.losses) if self.weights is None else self.weights
