"""CAGrad: the direction near the mean gradient that is best for the worst task."""

from __future__ import annotations

from gatewise.balance.of_torchjd import OfTorchJD
from gatewise.balance.rule import Site


class CAGrad(OfTorchJD):
    r"""Conflict-averse gradient: in a ball around the mean gradient, the best direction for the worst task.

    .. math:: \max_d \min_k g_k^\top d \quad \text{with} \quad \lVert d - g_0 \rVert \le c \lVert g_0 \rVert, \qquad
        g_0 = \frac1T \sum_k g_k, \quad d = \sum_k w_k g_k

    where :math:`g_k` is the gradient of task k and T the number of tasks.

    Args:
        c: the ball's radius as a share of the mean gradient's norm; 0: the mean gradient itself.
        at: where the gradients are taken.

    Example:
        >>> import torch
        >>> CAGrad(c=0.0).solve(torch.eye(2, dtype=torch.float64))
        tensor([0.5000, 0.5000], dtype=torch.float64)

    References:
        Liu et al.: Conflict-Averse Gradient Descent for Multi-Task Learning. NeurIPS 2021.
    """

    def __init__(self, *, c: float = 0.5, at: Site = "representation") -> None:
        super().__init__("CAGradWeighting", at=at, c=c)
