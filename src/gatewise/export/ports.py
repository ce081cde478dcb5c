"""Named inputs and outputs of an exported model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn

from gatewise.nn import Inputs

BATCH = "batch"


@dataclass(frozen=True)
class Port:
    """An input.

    Attributes:
        name: what callers give it as.
        dtype: of its elements.
        dims: a number, or a name where the size is free.
        meaning: what it holds, as JSON values.
    """

    name: str
    dtype: torch.dtype
    dims: tuple[int | str, ...] = (BATCH,)
    meaning: Mapping[str, Any] | None = None

    def example(self, rows: int = 3, length: int = 4) -> Tensor:
        """Return zeros of its type, so large where the size is free."""
        sizes = [dim if isinstance(dim, int) else rows if dim == BATCH else length for dim in self.dims]
        return torch.zeros(sizes, dtype=self.dtype)

    def free_dims(self) -> dict[int, Any]:
        """Return which of its sizes are free, as ``torch.export`` takes it."""
        return {place: torch.export.Dim.DYNAMIC for place, dim in enumerate(self.dims) if isinstance(dim, str)}


class Fusion(Protocol):
    """Makes one score of the predicted columns."""

    def evaluate(self, columns: Any) -> Any:
        """Return the score ``[batch]``."""


class Read(NamedTuple):
    """What a form makes of its inputs.

    Shape:
        - inputs: what the model reads
        - labels: ``[batch, label]`` float64, NaN but for what is known beforehand
    """

    inputs: Inputs
    labels: Tensor


class Form(nn.Module):
    """From named inputs to what a model reads.

    Attributes:
        ports: the inputs, in the order that :meth:`forward` takes them.
    """

    ports: Sequence[Port]

    def forward(self, *given: Tensor) -> Read:
        """Return what the model reads."""
        raise NotImplementedError
