"""The seam between encoder and model: which columns the encoded matrices have, and how large the tables must be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

IDS, FLOATS = "ids", "floats"
"""What the two matrices are called that a model reads."""
PADDING = -1
"""Stands in padded lists where there is no item."""
OUT_OF_VOCABULARY = 0
"""Row of values that the training table did not hold."""
NULL = 1
"""Row of missing values."""
RESERVED_ROWS = 2
"""Rows of every embedding table before the first learnt value."""


@dataclass(frozen=True)
class EmbeddingField:
    """One embedding table: ids 0 to ``rows - 1``, the reserved ones first, each a vector of width ``dim``."""

    name: str
    rows: int
    dim: int
    reserved: int = RESERVED_ROWS


@dataclass(frozen=True)
class AttentionPooling:
    """Items weighed by how they bear on a target, the name of an id column with vectors of the same width."""

    target: str
    dims: tuple[int, ...]
    normalise: bool


@dataclass(frozen=True)
class GRUPooling:
    """The state of a GRU after the last item, so wide; None: as wide as the items."""

    dim: int | None


@dataclass(frozen=True)
class SelfAttentionPooling:
    """The mean of a transformer's outputs, so wide; None: as wide as the items."""

    dim: int | None
    heads: int
    layers: int


@dataclass(frozen=True)
class RegisteredPooling:
    """A pooling of somebody's own.

    Attributes:
        declared: what was declared of it.
        make: makes it of the width of an item, given as ``dim``.
    """

    declared: Any
    make: Callable[..., Any] = field(compare=False)


Pooling = str | AttentionPooling | GRUPooling | SelfAttentionPooling | RegisteredPooling
"""How the vectors of a list become one: ``mean``, ``sum``, ``max``, or what is learnt."""


@dataclass(frozen=True)
class ListColumn:
    """One multi-valued feature: its name, the index of its field, and how its vectors become one, or None."""

    name: str
    field: int
    pooling: Pooling | None


@dataclass(frozen=True)
class TextColumn:
    """One text feature and the language model that reads it.

    Attributes:
        name: the feature's.
        source: where the language model comes from, a folder or a name on the hub.
        config: its architecture, as JSON.
        dim: width of its outputs.
        vocabulary: how many tokens it knows.
        padding: the token that stands for padding.
        pooling: how its outputs become one vector, ``mean`` or ``cls``.
        frozen: whether it stays as it is.
        lr_factor: what its learning rate is multiplied with.
    """

    name: str
    source: str
    config: str
    dim: int
    vocabulary: int
    padding: int
    pooling: str
    frozen: bool
    lr_factor: float


@dataclass(frozen=True)
class PiecewiseLinearNumber:
    """A vector so wide of where a number is in each bin between neighbouring edges."""

    edges: tuple[float, ...]
    dim: int


@dataclass(frozen=True)
class PeriodicNumber:
    """A vector so wide of a number's sines and cosines, at so many frequencies that are drawn from N(0, sigma^2)."""

    frequencies: int
    sigma: float
    dim: int


NumberEmbedding = PiecewiseLinearNumber | PeriodicNumber
"""How a number becomes a vector."""


@dataclass(frozen=True)
class NumberColumn:
    """One number that is embedded: its feature, its column of the float matrix, and how it becomes a vector."""

    name: str
    column: int
    embedding: NumberEmbedding


@dataclass(frozen=True)
class Layout:
    """What an encoded table looks like.

    Attributes:
        fields: embedding tables.
        ids: for every column of the id matrix its name and the index of its field.
        lists: multi-valued features.
        floats: a name for every column of the float matrix.
        float_features: the feature that each of them belongs to; none given: each is a feature of its name.
        texts: text features.
        numbers: the columns of the float matrix that are embedded; the others reach the model as they are.
    """

    fields: tuple[EmbeddingField, ...] = ()
    ids: tuple[tuple[str, int], ...] = ()
    lists: tuple[ListColumn, ...] = ()
    floats: tuple[str, ...] = ()
    float_features: tuple[str, ...] = ()
    texts: tuple[TextColumn, ...] = ()
    numbers: tuple[NumberColumn, ...] = ()

    @cached_property
    def id_features(self) -> tuple[str, ...]:
        """The features of the id matrix, one column each."""
        return tuple(name for name, _ in self.ids)

    @cached_property
    def float_widths(self) -> dict[str, int]:
        """How many columns of the float matrix each of its features has, in their order."""
        return dict(Counter(self.float_features or self.floats))


Matrix = TypeVar("Matrix")
Lists = TypeVar("Lists")


@dataclass(frozen=True)
class Assembled(Generic[Matrix, Lists]):
    """What a model reads: two matrices with the columns of many features, and each list and text by itself."""

    ids: Matrix
    floats: Matrix
    lists: tuple[Lists, ...]
    texts: tuple[Lists, ...]


def assemble(
    layout: Layout, matrix: Callable[[str, Sequence[str]], Matrix], single: Callable[[str], Lists]
) -> Assembled[Matrix, Lists]:
    """Put encoded features in the places in which a model reads them: arrays, tensors of a graph, or what is fed.

    Args:
        layout: the places.
        matrix: makes the matrix ``IDS`` or ``FLOATS`` of features, whose columns follow each other in their order.
        single: returns what a list or text feature is encoded as.
    """
    return Assembled(
        ids=matrix(IDS, layout.id_features),
        floats=matrix(FLOATS, tuple(layout.float_widths)),
        lists=tuple(single(column.name) for column in layout.lists),
        texts=tuple(single(column.name) for column in layout.texts),
    )
