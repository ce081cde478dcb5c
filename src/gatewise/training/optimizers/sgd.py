"""Stochastic gradient descent with momentum."""

from __future__ import annotations

from torch import Tensor
from typing_extensions import override

from gatewise.training.optimizers.rule import Rule, State, zeros


class SGD(Rule):
    r"""Moves along a decaying sum of gradients.

    .. math:: u \leftarrow \mu u + g, \qquad w \leftarrow w - \eta u

    Args:
        weight_decay: see :class:`Rule`.
        momentum: :math:`\mu`; a row without a gradient does not move, and its sum does not decay.
    """

    def __init__(self, weight_decay: float = 0.0, *, momentum: float = 0.0) -> None:
        super().__init__(weight_decay)
        self.momentum = momentum

    @override
    def state(self, weight: Tensor) -> State:
        return {"momentum_buffer": zeros(weight)} if self.momentum else {}

    @override
    def move(self, weight: Tensor, gradient: Tensor, state: State, *, lr: float, step: int) -> None:
        gradient = self.decayed(weight, gradient)
        if self.momentum:
            gradient = state["momentum_buffer"].mul_(self.momentum).add_(gradient)
        weight.add_(gradient, alpha=-lr)
