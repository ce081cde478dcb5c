"""The contract of every update rule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from gatewise.kernels import on_huge_pages

State = dict[str, Tensor]


def zeros(weight: Tensor) -> Tensor:
    """Return zeros of a parameter's shape, what a rule remembers of it before the first step."""
    return on_huge_pages(torch.empty_like(weight)).zero_()


class Rule(ABC):
    """How a gradient moves a matrix: the whole of it, or the rows that have one.

    A rule holds no tensors: what it remembers of a parameter is in the state that it is given.

    Args:
        weight_decay: on the rows that have a gradient.
    """

    def __init__(self, weight_decay: float = 0.0) -> None:
        self.weight_decay = weight_decay

    @abstractmethod
    def state(self, weight: Tensor) -> State:
        """Return what is remembered of a parameter ``[row, ...]`` before the first step, row by row."""

    def move_all(
        self, weights: Sequence[Tensor], gradients: Sequence[Tensor], states: Sequence[State], *, lr: float, step: int
    ) -> None:
        """Move several parameters, all of them for the same time; where one call for all is faster, a rule has one."""
        for weight, gradient, state in zip(weights, gradients, states, strict=True):
            self.move(weight, gradient, state, lr=lr, step=step)

    @abstractmethod
    def move(self, weight: Tensor, gradient: Tensor, state: State, *, lr: float, step: int) -> None:
        """Move weights in place.

        Args:
            weight: rows ``[row, ...]``.
            gradient: theirs.
            state: what is remembered of these rows, changed in place.
            lr: learning rate.
            step: counted from 1, over all rows.
        """

    def move_rows(self, weight: Tensor, rows: Tensor, gradient: Tensor, state: State, *, lr: float, step: int) -> None:
        """Move some rows ``[row]``, each there once; the others stay, and so does what is remembered of them."""
        some = weight[rows]
        remembered = {name: tensor[rows] for name, tensor in state.items()}
        self.move(some, gradient, remembered, lr=lr, step=step)
        weight[rows] = some
        for name, tensor in state.items():
            tensor[rows] = remembered[name]

    def decayed(self, weight: Tensor, gradient: Tensor) -> Tensor:
        """Return the gradient of the loss with L2 decay."""
        return torch.add(gradient, weight, alpha=self.weight_decay) if self.weight_decay else gradient
