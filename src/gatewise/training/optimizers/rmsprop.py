"""RMSprop."""

from __future__ import annotations

from torch import Tensor
from typing_extensions import override

from gatewise.training.optimizers.rule import Rule, State, zeros

ALPHA = 0.99
EPS = 1e-8


class RMSprop(Rule):
    r"""Divides a gradient by the root of the moving mean of its squares.

    .. math:: v \leftarrow \alpha v + (1 - \alpha) g^2, \qquad w \leftarrow w - \eta \frac{g}{\sqrt v + \epsilon}

    References:
        Tieleman, Hinton: Lecture 6.5, Neural Networks for Machine Learning. 2012.
    """

    @override
    def state(self, weight: Tensor) -> State:
        return {"square_avg": zeros(weight)}

    @override
    def move(self, weight: Tensor, gradient: Tensor, state: State, *, lr: float, step: int) -> None:
        gradient = self.decayed(weight, gradient)
        mean = state["square_avg"].mul_(ALPHA).addcmul_(gradient, gradient, value=1 - ALPHA)
        weight.addcdiv_(gradient, mean.sqrt().add_(EPS), value=-lr)
