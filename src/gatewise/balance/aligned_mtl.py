"""Aligned-MTL: weights that make gradients orthogonal and equally long."""

from __future__ import annotations

from gatewise.balance.of_torchjd import OfTorchJD
from gatewise.balance.rule import Site


class AlignedMTL(OfTorchJD):
    r"""Independent component alignment: scales all principal components of the gradients to the size of the smallest.

    .. math:: w = \sqrt{\lambda_{min}} \; V \Lambda^{-1/2} V^\top \, \tfrac1T \mathbf 1, \qquad M = V \Lambda V^\top

    where M is the Gramian of the tasks' gradients, :math:`\Lambda` its eigenvalues above 0, :math:`\lambda_{min}` the
    smallest of these, and T the number of tasks. Weights may be negative.

    Args:
        at: where the gradients are taken.

    Example:
        >>> import torch
        >>> AlignedMTL().solve(torch.tensor([[4.0, 0.0], [0.0, 1.0]], dtype=torch.float64))
        tensor([0.2500, 0.5000], dtype=torch.float64)

    References:
        Senushkin et al.: Independent Component Alignment for Multi-Task Learning. CVPR 2023.
    """

    def __init__(self, *, at: Site = "representation") -> None:
        super().__init__("AlignedMTLWeighting", at=at)
