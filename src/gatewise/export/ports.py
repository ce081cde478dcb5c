"""Named inputs of an exported model, and what it makes of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from typing_extensions import override

from gatewise.data import NumberedVocabulary, Vocabulary
from gatewise.nn import Inputs
from gatewise.serving import Scorer

BATCH = "batch"


@dataclass(frozen=True)
class Keys:
    """A look-up that comes before everything else: raw values become rows of a vocabulary.

    Attributes:
        vocabulary: learnt values, or a number of ids.
        null: the value that stands for null.
        padding: the value that stands for padding, in a list.
    """

    vocabulary: Vocabulary | NumberedVocabulary
    null: int | str
    padding: int | str


@dataclass(frozen=True)
class Port:
    """An input.

    Attributes:
        name: what callers give it as; inputs of the same name are one.
        dtype: of its elements, after the look-up.
        dims: a number, or a name where the size is free.
        keys: the look-up, if there is one.
        holds: what it is, in words.
        features: the features that read it.
    """

    name: str
    dtype: torch.dtype
    dims: tuple[int | str, ...] = (BATCH,)
    keys: Keys | None = None
    holds: str = ""
    features: tuple[str, ...] = ()

    def example(self, rows: int = 3, length: int = 4) -> Tensor:
        """Return zeros of its type, so large where the size is free."""
        sizes = [dim if isinstance(dim, int) else rows if dim == BATCH else length for dim in self.dims]
        return torch.zeros(sizes, dtype=self.dtype)

    def free_dims(self) -> dict[int, Any]:
        """Return which of its sizes are free, as ``torch.export`` takes it."""
        return {place: torch.export.Dim.DYNAMIC for place, dim in enumerate(self.dims) if isinstance(dim, str)}


@dataclass(frozen=True)
class Slot:
    """What a traced program takes: one input, or several of one type side by side.

    Tracing and translating take their time by the input, and next to none where many are one matrix.

    Attributes:
        ports: the inputs.
        stacked: whether they are one matrix ``[batch, port]``.
    """

    ports: tuple[Port, ...]
    stacked: bool = False

    def example(self) -> Tensor:
        """Return zeros of its type."""
        if self.stacked:
            return torch.stack([port.example() for port in self.ports], dim=1)
        return self.ports[0].example()

    def free_dims(self) -> dict[int, Any]:
        """Return which of its sizes are free, as ``torch.export`` takes it."""
        return self.ports[0].free_dims()


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
        kind: its name.
        scorer: whose model is exported.
        ports: the inputs.
        slots: what :meth:`forward` takes, in its order.
    """

    kind: str
    scorer: Scorer
    ports: Sequence[Port]

    @property
    def slots(self) -> list[Slot]:  # noqa: D102
        return [Slot((port,)) for port in self.ports]

    @abstractmethod
    @override
    def forward(self, *given: Tensor) -> Read:
        """Return what the model reads."""

    @abstractmethod
    def feed_table(self, source: Any) -> dict[str, np.ndarray]:
        """Return the inputs of a table, by name.

        Raises:
            TableError: a column is missing or of another type.
        """


def type_name(port: Port) -> str:
    """Return the type of an input's elements, before the look-up."""
    if port.keys is not None and isinstance(port.keys.null, str):
        return "string"
    return str(port.dtype).removeprefix("torch.")


def known_columns(scorer: Scorer) -> list[str | None]:
    """Return for every column of the labels which one of the table tells it beforehand, or None."""
    found: list[str | None] = []
    for task in scorer.encoder.schema.tasks:
        found += [None, *task.known_columns]
    return found


def known_ports(known: Sequence[str | None]) -> list[Port]:
    """Return the inputs of :func:`known_columns`, each once."""
    names = dict.fromkeys(name for name in known if name is not None)
    return [Port(name, torch.float64, holds="known of a label beforehand, NaN where it is not") for name in names]


def labels_of(known: Sequence[str | None], given: Mapping[str, Tensor], rows: int) -> Tensor:
    """Return labels ``[batch, label]``, NaN but for the columns that are known."""
    unknown = torch.full((rows,), torch.nan, dtype=torch.float64)
    return torch.stack([unknown if column is None else given[column] for column in known], dim=1)
