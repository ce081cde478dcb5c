"""IMTL-G: weights whose weighted sum of gradients has equal projections on all gradients."""

from __future__ import annotations

from gatewise.balance.of_torchjd import OfTorchJD
from gatewise.balance.rule import Site


class IMTLG(OfTorchJD):
    r"""The gradient half of impartial multi-task learning: a direction with equal projections on all tasks' gradients.

    .. math:: u_k^\top d = u_j^\top d \quad \forall j, k, \qquad d = \sum_k w_k g_k, \qquad \sum_k w_k = 1

    where :math:`g_k` is the gradient of task k and :math:`u_k = g_k / \lVert g_k \rVert`. The weights follow in closed
    form from the Gramian and may be negative. The unit of a loss does not change the direction.

    Args:
        at: where the gradients are taken.

    Example:
        >>> import torch
        >>> IMTLG().solve(torch.tensor([[4.0, 0.0], [0.0, 1.0]], dtype=torch.float64))
        tensor([0.3333, 0.6667], dtype=torch.float64)

    References:
        Liu et al.: Towards Impartial Multi-Task Learning. ICLR 2021.
    """

    def __init__(self, *, at: Site = "representation") -> None:
        super().__init__("IMTLGWeighting", at=at)
