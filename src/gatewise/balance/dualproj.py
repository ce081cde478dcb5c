"""DualProj: the mean gradient, projected so that no task's loss rises."""

from __future__ import annotations

from gatewise.balance.of_torchjd import OfTorchJD
from gatewise.balance.rule import Site


class DualProj(OfTorchJD):
    r"""The mean gradient, projected to the directions in which no task's loss rises.

    .. math:: \sum_k w_k g_k = \arg\min_{d : \, g_j^\top d \ge 0 \; \forall j}
        \Big\lVert d - \frac1T \sum_k g_k \Big\rVert^2

    where :math:`g_k` is the gradient of task k and T the number of tasks. Without conflict every weight is 1 / T.

    Args:
        at: where the gradients are taken.

    Example:
        >>> import torch
        >>> DualProj().solve(torch.tensor([[1.0, 0.5], [0.5, 1.0]], dtype=torch.float64))
        tensor([0.5000, 0.5000], dtype=torch.float64)

    References:
        Lopez-Paz, Ranzato: Gradient Episodic Memory for Continual Learning. NeurIPS 2017.
    """

    def __init__(self, *, at: Site = "representation") -> None:
        super().__init__("DualProjWeighting", at=at)
