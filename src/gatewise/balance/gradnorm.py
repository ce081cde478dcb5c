"""GradNorm: weights that equalise the norms of gradients, with larger norms for tasks that lag behind."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.balance.rule import BalanceRule, Site, StepLosses, norms, over_present

SMALL = 1e-8
SMALLEST_WEIGHT = 1e-3


class GradNorm(BalanceRule):
    r"""Gradient normalisation: the norms of the weighted gradients follow the tasks' training rates.

    .. math::
        \mathcal L_{grad} = \sum_k \big| G_k - \bar G \, r_k^\alpha \big|, \qquad G_k = w_k \lVert g_k \rVert, \qquad
        r_k = \frac{L_k / L_k(0)}{\frac1T \sum_j L_j / L_j(0)}

    where :math:`g_k` is the gradient of task k's mean loss :math:`L_k` at the last shared layer, :math:`\bar G` the
    mean of :math:`G_k` (without gradient), :math:`r_k` the task's relative inverse training rate, and
    :math:`L_k(0)` the task's loss in the first step in which it is present. After every step

    .. math:: w_k \leftarrow w_k - \frac{\eta}{\overline{\lVert g \rVert}} \,
        \frac{\partial \mathcal L_{grad}}{\partial w_k}

    and the weights are scaled to sum to T. Means are over the tasks that are present.

    NOTE[DIFF]: the step is divided by the mean norm :math:`\overline{\lVert g \rVert}`, so that the units of losses do
    not matter, and weights stay above 0.001.

    Args:
        num_tasks: T.
        alpha: :math:`\alpha`, strength of the effect of training rates; 0: equal norms.
        lr: :math:`\eta`.
        at: where the gradients are taken.

    Example:
        >>> rule = GradNorm(2, alpha=0.0)
        >>> seen = StepLosses(torch.ones(2, dtype=torch.bool), torch.ones(2), torch.tensor([[9.0, 0.0], [0.0, 1.0]]))
        >>> rule(seen), rule(seen)
        (tensor([1., 1.]), tensor([0.9747, 1.0253]))

    References:
        Chen et al.: GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep Multitask Networks. ICML 2018.
    """

    needs = "gramian"
    weights: Tensor
    first_losses: Tensor

    def __init__(
        self, num_tasks: int, *, alpha: float = 1.5, lr: float = 0.025, at: Site = "last_shared_layer"
    ) -> None:
        super().__init__()
        self.alpha, self.lr, self.at = alpha, lr, at
        self.register_buffer("weights", torch.ones(num_tasks))
        self.register_buffer("first_losses", torch.full((num_tasks,), torch.nan))

    @override
    def forward(self, seen: StepLosses) -> Tensor:
        given = self.weights.clone()
        unseen = self.first_losses.isnan() & seen.present
        self.first_losses = torch.where(unseen, seen.losses, self.first_losses)
        length = norms(seen)
        size = over_present(seen.present, length)
        if size > 0:
            moved = self.weights - self.lr * self._slope(seen, length) / size
            moved = moved.clamp(min=SMALLEST_WEIGHT)
            self.weights = moved * len(moved) / moved.sum()
        return given

    def _slope(self, seen: StepLosses, length: Tensor) -> Tensor:
        r"""Return the derivative ``[task]`` of :math:`\mathcal L_{grad}`, 0 for a task that is not present."""
        sizes = self.weights * length
        progress = seen.losses / self.first_losses.clamp(min=SMALL)
        rates = progress / over_present(seen.present, progress).clamp(min=SMALL)
        wanted = over_present(seen.present, sizes) * rates.pow(self.alpha)
        return torch.where(seen.present, (sizes - wanted).sign() * length, 0.0)
