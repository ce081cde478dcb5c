"""Adam and AdamW."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from torch import Tensor
from typing_extensions import override

from gatewise.kernels import AdamStep, update_adam, update_adam_rows
from gatewise.training.optimizers.rule import Rule, State, zeros

BETAS = (0.9, 0.999)
EPS = 1e-8


class Adam(Rule):
    """Adam, lazy: a row without a gradient does not move, and its moments do not decay.

    For the equation see :class:`gatewise.kernels.AdamStep`; t counts all steps, not the steps per row.

    Args:
        weight_decay: see :class:`Rule`.
        decoupled: decay by shrinking the weights (AdamW) instead of by the gradient.
    """

    def __init__(self, weight_decay: float = 0.0, *, decoupled: bool = False) -> None:
        super().__init__(weight_decay)
        self.decoupled = decoupled

    @override
    def state(self, weight: Tensor) -> State:
        return {"exp_avg": zeros(weight), "exp_avg_sq": zeros(weight)}

    @override
    def move(self, weight: Tensor, gradient: Tensor, state: State, *, lr: float, step: int) -> None:
        self.move_all([weight], [gradient], [state], lr=lr, step=step)

    @override
    def move_all(
        self, weights: Sequence[Tensor], gradients: Sequence[Tensor], states: Sequence[State], *, lr: float, step: int
    ) -> None:
        update_adam(weights, gradients, [_moments(state) for state in states], self._numbers(lr, step))

    @override
    def move_rows(self, weight: Tensor, rows: Tensor, gradient: Tensor, state: State, *, lr: float, step: int) -> None:
        update_adam_rows(weight, rows, gradient, _moments(state), self._numbers(lr, step))

    def _numbers(self, lr: float, step: int) -> AdamStep:
        return _step(step, lr, self.weight_decay, self.decoupled)


@functools.lru_cache(maxsize=8)
def _step(count: int, lr: float, weight_decay: float, decoupled: bool) -> AdamStep:
    """Return the constants of a step, equal for all parameters."""
    return AdamStep(count, lr, BETAS, EPS, weight_decay, decoupled)


def _moments(state: State) -> tuple[Tensor, Tensor]:
    return state["exp_avg"], state["exp_avg_sq"]
