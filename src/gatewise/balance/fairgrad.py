"""FairGrad: weights that share the gain fairly among tasks."""

from __future__ import annotations

from torch import Tensor
from typing_extensions import override

from gatewise.balance.of_torchjd import OfTorchJD
from gatewise.balance.rule import Site


class FairGrad(OfTorchJD):
    r"""Fair resource allocation: the tasks' gains maximise an alpha-fair utility.

    .. math:: M w = w^{-1/\alpha}, \quad w \ge 0

    where M is the Gramian of the tasks' gradients and the power is element-wise. :math:`\alpha = 1` is Nash-MTL; a
    larger :math:`\alpha` gives more weight to the task with the smallest gain. The weights are scaled to a mean of 1.

    NOTE[DIFF]: the paper does not scale the weights; the norm of its update depends on where gradients are taken.

    Args:
        alpha: :math:`\alpha`, above 0.
        at: where the gradients are taken.

    Example:
        >>> import torch
        >>> FairGrad().solve(torch.eye(2, dtype=torch.float64))
        tensor([1., 1.], dtype=torch.float64)

    References:
        Ban, Ji: Fair Resource Allocation in Multi-Task Learning. ICML 2024.
    """

    def __init__(self, *, alpha: float = 2.0, at: Site = "representation") -> None:
        super().__init__("FairGradWeighting", at=at, alpha=alpha)

    @override
    def solve(self, gramian: Tensor) -> Tensor:
        weights = super().solve(gramian)
        return weights / weights.mean()
