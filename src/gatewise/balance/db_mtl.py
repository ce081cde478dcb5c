"""DB-MTL: weights that balance both the scales of losses and the norms of gradients."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.balance.rule import BalanceRule, Site, StepLosses, norms

SMALL = 1e-8


class DBMTLBalance(BalanceRule):
    r"""Dual balancing: logarithms of losses, and gradients scaled to the largest norm.

    .. math:: w_k = \frac{1}{L_k} \cdot \frac{\max_j m_j}{m_k}, \qquad
        m_k \leftarrow \beta \, m_k + (1 - \beta) \, \lVert g_k \rVert / L_k

    where :math:`g_k` is the gradient of task k's mean loss :math:`L_k`, so that :math:`g_k / L_k` is the gradient of
    :math:`\ln L_k`, and :math:`m_k` is the moving average of its norm. The maximum is over the tasks that are present.
    The unit of a loss does not matter.

    NOTE[DIFF]: the paper averages the gradients over the steps; here their norms are averaged, since gradients at
    different rows cannot be averaged.

    Args:
        num_tasks: number of tasks.
        beta: :math:`\beta`; 0: norms of the current step only.
        at: where the gradients are taken.

    Example:
        >>> gramian = torch.tensor([[1.0, 0.0], [0.0, 4.0]])
        >>> DBMTLBalance(2)(StepLosses(torch.ones(2, dtype=torch.bool), torch.tensor([0.5, 0.5]), gramian))
        tensor([4., 2.])

    References:
        Lin et al.: Dual-Balancing for Multi-Task Learning. arXiv 2308.12029, 2023.
    """

    needs = "gramian"
    sizes: Tensor

    def __init__(self, num_tasks: int, *, beta: float = 0.9, at: Site = "representation") -> None:
        super().__init__()
        self.beta, self.at = beta, at
        self.register_buffer("sizes", torch.full((num_tasks,), torch.nan))

    @override
    def forward(self, seen: StepLosses) -> Tensor:
        losses = seen.losses.clamp(min=SMALL)
        length = norms(seen) / losses
        averaged = torch.where(self.sizes.isnan(), length, self.beta * self.sizes + (1 - self.beta) * length)
        self.sizes = torch.where(seen.present, averaged, self.sizes)
        largest = torch.where(seen.present, self.sizes, 0.0).max()
        # a gradient of 0 stays 0 with any weight
        factors = torch.where(self.sizes > SMALL * largest, largest / self.sizes, 1.0)
        return torch.where(seen.present, factors / losses, 0.0)
