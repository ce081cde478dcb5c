"""Adagrad with one number per row."""

from __future__ import annotations

from torch import Tensor
from typing_extensions import override

from gatewise.training.optimizers.rule import Rule, State, zeros

EPS = 1e-10


class RowwiseAdagrad(Rule):
    r"""Divides a row's gradient by the root of the sum, over all steps, of the gradient's mean square.

    .. math:: s_r \leftarrow s_r + \frac1d \sum_j g_{rj}^2, \qquad w_r \leftarrow w_r - \eta \frac{g_r}{\sqrt{s_r} + \epsilon}

    The state is one number per row, where Adam has two vectors: for tables that fill the memory.

    References:
        Duchi, Hazan, Singer: Adaptive Subgradient Methods for Online Learning and Stochastic Optimization. JMLR 2011.
        Mudigere et al.: Software-Hardware Co-design for Fast and Scalable Training of Deep Learning Recommendation
        Models. ISCA 2022.
    """  # noqa: E501

    @override
    def state(self, weight: Tensor) -> State:
        return {"sum": zeros(weight[:, :1])}

    @override
    def move(self, weight: Tensor, gradient: Tensor, state: State, *, lr: float, step: int) -> None:
        gradient = self.decayed(weight, gradient)
        total = state["sum"].add_(gradient.square().mean(dim=1, keepdim=True))
        weight.addcdiv_(gradient, total.sqrt().add_(EPS), value=-lr)
