"""Nash-MTL: weights from the Nash bargaining solution."""

from __future__ import annotations

import torch
from torch import Tensor
from typing_extensions import override

from gatewise.balance.rule import GramianRule

MOST_STEPS = 50
CLOSE = 1e-10
RIDGE = 1e-6


class NashMTL(GramianRule):
    r"""The Nash bargaining solution: the direction that maximises the sum of the logarithms of the tasks' gains.

    .. math:: M \alpha = 1 / \alpha, \quad \alpha > 0

    where M is the Gramian of the tasks' gradients and :math:`1 / \alpha` is element-wise. The solution minimises the
    convex function :math:`\tfrac12 \alpha^\top M \alpha - \sum_k \ln \alpha_k`; Newton's method, damped by its
    decrement, converges in a few steps from any start. The weights are :math:`\alpha` scaled to a mean of 1; the unit
    of a loss does not change the direction.

    NOTE[DIFF]: the paper solves a sequence of approximations with a general solver and keeps :math:`\alpha` for some
    steps; here every step has the exact solution. The paper does not scale the weights; the norm of its update depends
    on where gradients are taken. :math:`10^{-6}` of the mean squared norm is added to the diagonal of M, so that a
    solution exists also for exactly opposed gradients.

    Args:
        at: where the gradients are taken.

    Example:
        >>> NashMTL().solve(torch.tensor([[4.0, 0.0], [0.0, 1.0]], dtype=torch.float64))
        tensor([0.6667, 1.3333], dtype=torch.float64)

    References:
        Navon et al.: Multi-Task Learning as a Bargaining Game. ICML 2022.
    """

    @override
    def solve(self, gramian: Tensor) -> Tensor:
        alpha = bargain(gramian + RIDGE * torch.eye(len(gramian), dtype=gramian.dtype))
        return alpha / alpha.mean()


def bargain(gramian: Tensor) -> Tensor:
    r"""Return the positive :math:`\alpha` ``[task]`` with :math:`M \alpha = 1 / \alpha`, for a positive definite M."""
    alpha = gramian.diagonal().rsqrt()
    for _ in range(MOST_STEPS):
        slope = gramian @ alpha - 1 / alpha
        step = torch.linalg.solve(gramian + torch.diag(alpha.pow(-2)), slope)
        decrement = (slope @ step).clamp(min=0).sqrt()
        # the step keeps alpha positive, since the function is self-concordant
        alpha = alpha - step / (1 + decrement)
        if decrement < CLOSE:
            break
    return alpha
