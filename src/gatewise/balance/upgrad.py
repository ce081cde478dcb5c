"""UPGrad: gradients projected so that no task's loss rises."""

from __future__ import annotations

from gatewise.balance.of_torchjd import OfTorchJD
from gatewise.balance.rule import Site


class UPGrad(OfTorchJD):
    r"""Unconflicting projection: the mean of all gradients, each projected to the directions in which no loss rises.

    .. math:: \sum_k w_k g_k = \frac1T \sum_k \pi(g_k), \qquad \pi(g) = \arg\min_{d : \, g_j^\top d \ge 0 \; \forall j}
        \lVert d - g \rVert^2

    where :math:`g_k` is the gradient of task k and T the number of tasks. Each projection is a small quadratic
    programme in the Gramian. Without conflict every weight is 1 / T.

    Args:
        at: where the gradients are taken.

    Example:
        >>> import torch
        >>> UPGrad().solve(torch.tensor([[1.0, 0.5], [0.5, 1.0]], dtype=torch.float64))
        tensor([0.5000, 0.5000], dtype=torch.float64)

    References:
        Quinton, Rey: Jacobian Descent for Multi-Objective Optimization. arXiv 2406.16232, 2024.
    """

    def __init__(self, *, at: Site = "representation") -> None:
        super().__init__("UPGradWeighting", at=at)
