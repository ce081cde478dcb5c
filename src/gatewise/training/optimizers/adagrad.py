"""Adagrad."""

from __future__ import annotations

from torch import Tensor
from typing_extensions import override

from gatewise.training.optimizers.rule import Rule, State, zeros

EPS = 1e-10


class Adagrad(Rule):
    r"""Divides a gradient by the root of the sum of all its squares so far.

    .. math:: s \leftarrow s + g^2, \qquad w \leftarrow w - \eta \frac{g}{\sqrt s + \epsilon}

    A row without a gradient does not move, so that lazy and dense updates are equal.

    References:
        Duchi, Hazan, Singer: Adaptive Subgradient Methods for Online Learning and Stochastic Optimization. JMLR 2011.
    """

    @override
    def state(self, weight: Tensor) -> State:
        return {"sum": zeros(weight)}

    @override
    def move(self, weight: Tensor, gradient: Tensor, state: State, *, lr: float, step: int) -> None:
        gradient = self.decayed(weight, gradient)
        total = state["sum"].addcmul_(gradient, gradient)
        weight.addcdiv_(gradient, total.sqrt().add_(EPS), value=-lr)
