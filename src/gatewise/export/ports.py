"""Named inputs of an exported model, and the model inputs made from them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
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
    """The first step of an input: raw values are looked up as rows of a vocabulary.

    Attributes:
        vocabulary: learnt values, or a number of ids.
        null: the value for null.
        padding: the value for padding, in a list.
        no_item: a further value that is not an item of a list, as declared; None: there is none.
    """

    vocabulary: Vocabulary | NumberedVocabulary
    null: int | str
    padding: int | str
    no_item: int | str | None = None


@dataclass(frozen=True)
class Port:
    """An input of an exported model.

    Attributes:
        name: for callers; ports of equal name are one input.
        dtype: the type of elements after the look-up.
        dims: per dimension its size, or a name if the size is free.
        keys: the look-up, if any.
        holds: the meaning of the input, in words.
        features: the features that read it.
        reading: what the input's values depend on beside the column and the type, such as a number of hash buckets;
            features that read a column differently have an input each.
    """

    name: str
    dtype: torch.dtype
    dims: tuple[int | str, ...] = (BATCH,)
    keys: Keys | None = None
    holds: str = ""
    features: tuple[str, ...] = ()
    reading: Hashable = None

    def example(self, rows: int = 3, length: int = 4) -> Tensor:
        """Return zeros of the port's type, with ``rows`` and ``length`` as free sizes."""
        sizes = [dim if isinstance(dim, int) else rows if dim == BATCH else length for dim in self.dims]
        return torch.zeros(sizes, dtype=self.dtype)

    def free_dims(self) -> dict[int, Any]:
        """Return the free sizes, in the form that ``torch.export`` takes."""
        return {place: torch.export.Dim.DYNAMIC for place, dim in enumerate(self.dims) if isinstance(dim, str)}


@dataclass(frozen=True)
class Slot:
    """An input of a traced program: one port, or several ports of one type side by side.

    The time for tracing and translating grows with the number of inputs, so many ports share one matrix.

    Attributes:
        ports: the ports.
        stacked: whether the ports are one matrix ``[batch, port]``.
    """

    ports: tuple[Port, ...]
    stacked: bool = False

    def example(self) -> Tensor:
        """Return zeros of the slot's type."""
        if self.stacked:
            return torch.stack([port.example() for port in self.ports], dim=1)
        return self.ports[0].example()

    def free_dims(self) -> dict[int, Any]:
        """Return the free sizes, in the form that ``torch.export`` takes."""
        return self.ports[0].free_dims()


class Read(NamedTuple):
    """The model's inputs and labels that a form makes from its ports.

    Shape:
        - inputs: the inputs of the model
        - labels: ``[batch, label]`` float64, NaN except in known columns
        - fused: by name, each known column ``[batch]`` float64 that the fusion uses
    """

    inputs: Inputs
    labels: Tensor
    fused: Mapping[str, Tensor] = MappingProxyType({})


class Form(nn.Module):
    """From named inputs to the inputs of a model.

    Attributes:
        kind: the name of the form.
        scorer: its model is exported.
        ports: the named inputs.
        slots: the arguments of :meth:`forward`, in order.
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
        """Return the inputs and labels of the model."""

    @abstractmethod
    def feed_table(self, source: Any) -> dict[str, np.ndarray]:
        """Return a table as named inputs.

        Raises:
            TableError: a column is missing or of another type.
        """


def type_name(port: Port) -> str:
    """Return the type of an input's elements, before the look-up."""
    if port.keys is not None and isinstance(port.keys.null, str):
        return "string"
    return str(port.dtype).removeprefix("torch.")


def known_columns(scorer: Scorer) -> list[str | None]:
    """Return, per label column, the name of the table's column if it is known when predicting, else None."""
    found: list[str | None] = []
    for task in scorer.encoder.schema.tasks:
        found += [None, *task.known_columns]
    return found


def known_ports(known: Sequence[str | None], fused: Sequence[str] = ()) -> list[Port]:
    """Return the ports of :func:`known_columns`, and of the columns that a fusion uses, each once."""
    holds = dict.fromkeys(fused, "a number for the fusion, NaN for null, which counts as 0")
    holds |= {name: "known of a label beforehand, NaN where it is not" for name in known if name is not None}
    names = dict.fromkeys([*(name for name in known if name is not None), *fused])
    return [Port(name, torch.float64, holds=holds[name]) for name in names]


def labels_of(known: Sequence[str | None], given: Mapping[str, Tensor], rows: int) -> Tensor:
    """Return labels ``[batch, label]``, NaN except in known columns."""
    unknown = torch.full((rows,), torch.nan, dtype=torch.float64)
    return torch.stack([unknown if column is None else given[column] for column in known], dim=1)


def fused_of(names: Sequence[str], given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the columns ``[batch]`` that a fusion uses; a null counts as 0."""
    return {name: given[name].nan_to_num(nan=0.0) for name in names}
