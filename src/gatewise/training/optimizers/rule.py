"""The contract of every update rule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from gatewise.kernels import on_huge_pages

State = dict[str, Tensor]


def zeros(weight: Tensor) -> Tensor:
    """Return zeros of a parameter's shape, as a rule's initial state."""
    return on_huge_pages(torch.empty_like(weight)).zero_()


class Rule(ABC):
    """An update rule for a whole matrix, or for the rows that have a gradient.

    A rule holds no tensors: the state of a parameter is passed to every call.

    Args:
        weight_decay: decay of the rows that have a gradient.
    """

    def __init__(self, weight_decay: float = 0.0) -> None:
        self.weight_decay = weight_decay

    @abstractmethod
    def state(self, weight: Tensor) -> State:
        """Return the initial state, per row, of a parameter ``[row, ...]``."""

    def move_all(
        self, weights: Sequence[Tensor], gradients: Sequence[Tensor], states: Sequence[State], *, lr: float, step: int
    ) -> None:
        """Update several parameters with the same step number; rules override it if one call for all is faster."""
        for weight, gradient, state in zip(weights, gradients, states, strict=True):
            self.move(weight, gradient, state, lr=lr, step=step)

    @abstractmethod
    def move(self, weight: Tensor, gradient: Tensor, state: State, *, lr: float, step: int) -> None:
        """Update weights in place.

        Args:
            weight: rows ``[row, ...]``.
            gradient: the rows' gradients, of the same shape.
            state: the rows' state, changed in place.
            lr: learning rate.
            step: number of the step, counted from 1 over all rows.
        """

    def move_rows(self, weight: Tensor, rows: Tensor, gradient: Tensor, state: State, *, lr: float, step: int) -> None:
        """Update the distinct rows ``[row]``; other rows and their state stay unchanged."""
        some = weight[rows]
        remembered = {name: tensor[rows] for name, tensor in state.items()}
        self.move(some, gradient, remembered, lr=lr, step=step)
        weight[rows] = some
        for name, tensor in state.items():
            tensor[rows] = remembered[name]

    def decayed(self, weight: Tensor, gradient: Tensor) -> Tensor:
        """Return the gradient of the loss with L2 decay."""
        return torch.add(gradient, weight, alpha=self.weight_decay) if self.weight_decay else gradient
