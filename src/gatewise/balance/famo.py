"""FAMO: weights that make all losses fall at the same rate."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.balance.rule import BalanceRule, StepLosses

SMALL = 1e-8


class FAMO(BalanceRule):
    r"""Fast adaptive multitask optimisation: weights learnt from the change of the losses in every step.

    .. math::
        w_k = c \, \frac{z_k}{L_k}, \qquad z = \mathrm{softmax}(\xi), \qquad c = \Big(\sum_j z_j / L_j\Big)^{-1}

    where :math:`L_k` is the mean loss of task k and :math:`\xi` are logits. After the step, which changes :math:`L_k`
    to :math:`L_k'`, the logits make a step of Adam along

    .. math:: \Big(\frac{\partial z}{\partial \xi}\Big)^{\!\top} \big(\ln L - \ln L'\big) + \gamma \, \xi

    so that a task whose loss fell by a smaller factor gets a larger weight. Sums are over the tasks that are present.
    The losses after the step are computed in a second forward pass with the rows and the dropout of the step.

    NOTE[DIFF]: the paper's algorithm makes a plain gradient step; the authors' code makes a step of Adam, as here.

    Args:
        num_tasks: number of tasks.
        lr: learning rate of the logits.
        decay: :math:`\gamma`.

    Example:
        >>> FAMO(2)(StepLosses(torch.ones(2, dtype=torch.bool), torch.tensor([1.0, 3.0])))
        tensor([0.7500, 0.2500])

    References:
        Liu et al.: FAMO: Fast Adaptive Multitask Optimization. NeurIPS 2023.
    """

    needs = "losses"
    needs_outcome = True
    logits: Tensor
    first: Tensor
    second: Tensor
    steps: Tensor

    def __init__(self, num_tasks: int, *, lr: float = 0.025, decay: float = 1e-3) -> None:
        super().__init__()
        self.lr, self.decay = lr, decay
        for name in ("logits", "first", "second"):
            self.register_buffer(name, torch.zeros(num_tasks))
        self.register_buffer("steps", torch.zeros(()))

    @override
    def forward(self, seen: StepLosses) -> Tensor:
        shares = torch.where(seen.present, self.logits.softmax(dim=0) / (seen.losses + SMALL), 0.0)
        return shares / shares.sum().clamp(min=SMALL)

    @override
    def after_step(self, seen: StepLosses, losses: Tensor) -> None:
        shares = self.logits.softmax(dim=0)
        fallen = torch.where(seen.present, (seen.losses + SMALL).log() - (losses + SMALL).log(), 0.0)
        self._move(shares * (fallen - (shares * fallen).sum()) + self.decay * self.logits)

    def _move(self, gradient: Tensor) -> None:
        """Make a step of Adam."""
        self.steps += 1
        self.first.lerp_(gradient, 0.1)
        self.second.lerp_(gradient.square(), 0.001)
        rooted = (self.second / (1 - 0.999**self.steps)).sqrt() + SMALL
        self.logits -= self.lr * self.first / (1 - 0.9**self.steps) / rooted
