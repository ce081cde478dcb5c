"""PCGrad: weights of gradients whose conflicting components are removed."""

from __future__ import annotations

from gatewise.balance.of_torchjd import OfTorchJD
from gatewise.balance.rule import Site


class PCGrad(OfTorchJD):
    r"""Gradient surgery: removes from each task's gradient the component that opposes another task's gradient.

    .. math:: \hat g_k \leftarrow \hat g_k - \frac{\min(\hat g_k^\top g_j, 0)}{\lVert g_j \rVert^2} \, g_j
        \quad \text{for all } j \neq k \text{ in random order}, \qquad \sum_k \hat g_k = \sum_k w_k g_k

    where :math:`g_k` is the gradient of task k, at which :math:`\hat g_k` starts. Without conflict every weight is 1.

    Args:
        at: where the gradients are taken.

    Example:
        >>> import torch
        >>> PCGrad().solve(torch.tensor([[1.0, -0.5], [-0.5, 1.0]], dtype=torch.float64))
        tensor([1.5000, 1.5000], dtype=torch.float64)

    References:
        Yu et al.: Gradient Surgery for Multi-Task Learning. NeurIPS 2020.
    """

    def __init__(self, *, at: Site = "representation") -> None:
        super().__init__("PCGradWeighting", at=at)
