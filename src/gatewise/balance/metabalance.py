"""MetaBalance: weights that scale auxiliary tasks' gradients towards the norm of the target task's gradient."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.balance.rule import BalanceRule, Site, StepLosses, norms

SMALL = 1e-8


class MetaBalance(BalanceRule):
    r"""Scales each auxiliary task's gradient towards the norm of the target task's gradient.

    .. math:: w_k = r \, \frac{m_{target}}{m_k} + (1 - r), \qquad
        m_k \leftarrow \beta \, m_k + (1 - \beta) \lVert g_k \rVert

    where :math:`g_k` is the gradient of task k, :math:`m_k` the moving average of its norm, and r the degree of
    balancing. The target task's own weight is 1.

    NOTE[DIFF]: the paper scales the gradient of every parameter separately; here one site decides for all parameters.
    A moving average starts at the first norm, where the paper starts at 0; the ratios are the same.

    Args:
        num_tasks: number of tasks.
        target: the position of the target task.
        relax: r; 0: no balancing, 1: equal norms.
        beta: :math:`\beta`.
        strategy: ``down``: only gradients larger than the target's are scaled, ``up``: only smaller ones, ``both``.
        at: where the gradients are taken.

    Example:
        >>> gramian = torch.tensor([[1.0, 0.0], [0.0, 4.0]])
        >>> MetaBalance(2, relax=1.0)(StepLosses(torch.ones(2, dtype=torch.bool), torch.ones(2), gramian))
        tensor([1.0000, 0.5000])

    References:
        He et al.: MetaBalance: Improving Multi-Task Recommendations via Adapting Gradient Magnitudes of Auxiliary
        Tasks. WWW 2022.
    """

    needs = "gramian"
    sizes: Tensor

    def __init__(
        self,
        num_tasks: int,
        *,
        target: int = 0,
        relax: float = 0.7,
        beta: float = 0.9,
        strategy: Literal["down", "up", "both"] = "both",
        at: Site = "representation",
    ) -> None:
        super().__init__()
        self.target, self.relax, self.beta, self.strategy, self.at = target, relax, beta, strategy, at
        self.register_buffer("sizes", torch.full((num_tasks,), torch.nan))

    @override
    def forward(self, seen: StepLosses) -> Tensor:
        length = norms(seen)
        averaged = torch.where(self.sizes.isnan(), length, self.beta * self.sizes + (1 - self.beta) * length)
        self.sizes = torch.where(seen.present, averaged, self.sizes)
        wanted = self.sizes[self.target]
        # 1 as long as a task or the target has not been seen, and for a gradient of 0
        ratios = torch.where(self.sizes > SMALL * wanted, wanted / self.sizes, 1.0)
        if self.strategy != "both":
            ratios = ratios.clamp(max=1) if self.strategy == "down" else ratios.clamp(min=1)
        return self.relax * ratios + (1 - self.relax)
