"""The contract of every trunk."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn
from typing_extensions import override

from gatewise.nn.sequences import Padded


class Mixed(NamedTuple):
    """The output of a trunk.

    Shape:
        - hidden: ``[batch, task, output_dim]``
        - gates: ``[batch, task, expert]``, weight of each expert per task in the last level, or None for a trunk
          without gates
        penalty: scalar that is added to the loss, or None
    """

    hidden: Tensor
    gates: Tensor | None = None
    penalty: Tensor | None = None


class Trunk(nn.Module):
    """The part between the input layer and the towers, in which tasks share parameters.

    Shape:
        - input ``[batch, input_dim]``, and sequences if the trunk reads any
        - output ``[batch, task, output_dim]``

    Attributes:
        num_sequences: number of sequences that the trunk reads.
    """

    num_tasks: int
    output_dim: int
    num_sequences: int = 0

    @abstractmethod
    def mix(self, x: Tensor, *sequences: Padded) -> Mixed:
        """Return the tasks' hidden vectors, the gates' weights and the trunk's own penalty."""

    def units(self, tasks: Sequence[str], level: int) -> tuple[str, ...]:  # noqa: ARG002
        """Return the owners of a level's gates and, if experts have owners, of its sets of experts, in order."""
        return (*tasks, "shared")

    @override
    def forward(self, x: Tensor, *sequences: Padded) -> Tensor:
        """Return the hidden vectors of all tasks."""
        return self.mix(x, *sequences).hidden


def total(*penalties: Tensor | None) -> Tensor | None:
    """Return the sum of the penalties that are not None."""
    found = [penalty for penalty in penalties if penalty is not None]
    return sum(found[1:], found[0]) if found else None
