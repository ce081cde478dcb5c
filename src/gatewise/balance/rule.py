"""The contract of every balancing rule."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn


class BalanceRule(nn.Module):
    """Losses in, task weights out; one ordinary weighted backward pass follows.

    A rule may have parameters of its own (they are trained with the model's) and buffers (they are saved with it).
    """

    @abstractmethod
    def forward(self, losses: Tensor) -> Tensor:
        """Return the weight ``[task]`` of each task's mean loss ``[task]``."""

    def penalty(self, losses: Tensor) -> Tensor | None:  # noqa: ARG002
        """Return a term ``[task]`` that keeps the rule's parameters in place, None for a rule without parameters.

        The tasks' declared weights scale it.
        """
        return None
