"""Geometric mean: weights from the gradient of the losses' geometric mean."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.balance.rule import BalanceRule, StepLosses, over_present


class GeometricMean(BalanceRule):
    r"""Minimises the geometric mean of the losses; the unit of a loss changes it by a constant factor only.

    .. math:: \mathcal L = \Big(\prod_k L_k\Big)^{1/T}, \qquad w_k = \frac{\partial \mathcal L}{\partial L_k}
        = \frac{\mathcal L}{T \, L_k}

    where :math:`L_k` is the mean loss of task k and T the number of tasks that are present.

    Example:
        >>> GeometricMean()(StepLosses(torch.ones(2, dtype=torch.bool), torch.tensor([1.0, 4.0])))
        tensor([1.0000, 0.2500])

    References:
        Chennupati et al.: MultiNet++: Multi-Stream Feature Aggregation and Geometric Loss Strategy for Multi-Task
        Learning. CVPR Workshops 2019.
    """

    needs = "losses"

    @override
    def forward(self, seen: StepLosses) -> Tensor:
        losses = seen.losses.clamp(min=1e-8)
        mean = over_present(seen.present, losses.log()).exp()
        return torch.where(seen.present, mean / (seen.present.sum() * losses), 0.0)
