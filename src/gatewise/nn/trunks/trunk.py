"""The contract of every trunk."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor, nn


class Trunk(nn.Module):
    """What lies between the input layer and the towers: how tasks share.

    Shape:
        - input ``[batch, input_dim]``
        - output ``[batch, task, output_dim]``
    """

    num_tasks: int
    output_dim: int

    @abstractmethod
    def mix(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the hidden vectors ``[batch, task, output_dim]`` and the gates' weights.

        The weights are ``[batch, task, expert]``, or None in a trunk without gates.
        """

    def forward(self, x: Tensor) -> Tensor:  # noqa: D102
        return self.mix(x)[0]
