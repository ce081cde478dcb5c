"""MGDA: weights of the convex combination of gradients with the smallest norm."""

from __future__ import annotations

from gatewise.balance.of_torchjd import OfTorchJD
from gatewise.balance.rule import Site


class MGDA(OfTorchJD):
    r"""Multiple-gradient descent: the direction with the largest smallest gain over tasks.

    .. math:: w = \arg\min_{w \ge 0, \; \sum_k w_k = 1} \Big\lVert \sum_k w_k g_k \Big\rVert^2 = \arg\min w^\top M w

    where :math:`g_k` is the gradient of task k and M the Gramian of all; solved by the Frank-Wolfe method. Small
    gradients get large weights, so that the unit of a loss matters.

    Args:
        at: where the gradients are taken.

    Example:
        >>> import torch
        >>> MGDA().solve(torch.tensor([[4.0, 0.0], [0.0, 1.0]], dtype=torch.float64))
        tensor([0.2000, 0.8000], dtype=torch.float64)

    References:
        Désidéri: Multiple-Gradient Descent Algorithm (MGDA) for Multiobjective Optimization. Comptes Rendus
        Mathematique, 2012.
        Sener, Koltun: Multi-Task Learning as Multi-Objective Optimization. NeurIPS 2018.
    """

    def __init__(self, *, at: Site = "representation") -> None:
        super().__init__("MGDAWeighting", at=at)
