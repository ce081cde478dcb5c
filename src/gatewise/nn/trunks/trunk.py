"""The contract of every trunk."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.sequences import Padded


class Mixed(NamedTuple):
    """What a trunk gives.

    Shape:
        - hidden: ``[batch, task, output_dim]``
        - gates: ``[batch, task, expert]``, how much each task uses each expert, or None in a trunk without gates; of
          several levels those of the last
        - penalty: scalar that joins the loss, or None
    """

    hidden: Tensor
    gates: Tensor | None = None
    penalty: Tensor | None = None


class Trunk(nn.Module):
    """What lies between the input layer and the towers: how tasks share.

    Shape:
        - input ``[batch, input_dim]``, and sequences where the trunk reads some
        - output ``[batch, task, output_dim]``

    Attributes:
        num_sequences: how many sequences it reads.
    """

    num_tasks: int
    output_dim: int
    num_sequences: int = 0

    @abstractmethod
    def mix(self, x: Tensor, *sequences: Padded) -> Mixed:
        """Return the hidden vectors of all tasks, the gates' weights and the trunk's own penalty."""

    def units(self, tasks: Sequence[str], level: int) -> tuple[str, ...]:  # noqa: ARG002
        """Return whose the gates of a level are, and the sets of its experts where these have owners, in order."""
        return (*tasks, "shared")

    @override
    def forward(self, x: Tensor, *sequences: Padded) -> Tensor:
        """Return the hidden vectors of all tasks."""
        return self.mix(x, *sequences).hidden


def total(*penalties: Tensor | None) -> Tensor | None:
    """Return the sum of those penalties that there are."""
    found = [penalty for penalty in penalties if penalty is not None]
    return sum(found[1:], found[0]) if found else None
