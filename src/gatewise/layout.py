"""The interface between encoder and model: columns of the encoded matrices and sizes of the embedding tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

IDS, FLOATS = "ids", "floats"
"""Names of the two matrices that a model reads."""
PADDING = -1
"""Padding value in padded lists of ids."""
NO_NUMBER = float("nan")
"""Padding value in padded lists of numbers."""
OUT_OF_VOCABULARY = 0
"""Row of out-of-vocabulary values."""
NULL = 1
"""Row of missing values."""
RESERVED_ROWS = 2
"""Number of rows of every embedding table before the first learnt value."""


@dataclass(frozen=True)
class EmbeddingField:
    """One embedding table: ids 0 to ``rows - 1``, the reserved ones first, each a vector of width ``dim``.

    A frozen table is not trained.
    """

    name: str
    rows: int
    dim: int
    reserved: int = RESERVED_ROWS
    frozen: bool = False

    @property
    def matrix(self) -> str:
        """Name of the matrix that holds the table, with the other tables of its width that are trained or frozen."""
        return f"frozen_{self.dim}" if self.frozen else f"dim_{self.dim}"


@dataclass(frozen=True)
class AttentionPooling:
    """Attention to ``target``, the name of an id column with embeddings of the items' width."""

    target: str
    dims: tuple[int, ...]
    normalise: bool


@dataclass(frozen=True)
class GRUPooling:
    """The last state of a GRU of width ``dim``; None: as wide as the items."""

    dim: int | None


@dataclass(frozen=True)
class SelfAttentionPooling:
    """The mean of a transformer's outputs, of width ``dim``; None: as wide as the items."""

    dim: int | None
    heads: int
    layers: int


@dataclass(frozen=True)
class RegisteredPooling:
    """A registered pooling.

    Attributes:
        declared: the declaration.
        make: returns the module, from the keyword ``dim``, the width of an item.
    """

    declared: Any
    make: Callable[..., Any] = field(compare=False)


@dataclass(frozen=True)
class JoinedAttention:
    """Attention to ``targets``, names of id columns whose embeddings are joined."""

    targets: tuple[str, ...]
    dims: tuple[int, ...]
    normalise: bool


Pooling = str | AttentionPooling | JoinedAttention | GRUPooling | SelfAttentionPooling | RegisteredPooling
"""Pooling of a list's vectors: ``mean``, ``sum``, ``max``, or a learnt pooling."""


@dataclass(frozen=True)
class ListColumn:
    """One multi-valued feature.

    Attributes:
        name: the feature's.
        field: index of its embedding table.
        pooling: its pooling; None: its items stay apart.
        weights: index of the list of numbers that weigh the items, if any.
        joined: name of the feature of which the list is a part; None: it is a feature of its own.
    """

    name: str
    field: int
    pooling: Pooling | None
    weights: int | None = None
    joined: str | None = None

    @property
    def feature(self) -> str:
        """The name of the feature."""
        return self.joined or self.name

    @property
    def apart(self) -> bool:
        """Whether the items stay apart, for a model that reads sequences."""
        return self.pooling is None and self.joined is None


@dataclass(frozen=True)
class NumberList:
    """A list of numbers beside a feature's list of ids, one number per item.

    Attributes:
        name: of the list, such as ``tags.weights``.
        feature: the name of the feature.
    """

    name: str
    feature: str


@dataclass(frozen=True)
class JoinedLists:
    """Lists of equal lengths whose items are joined to one vector per place, which are pooled.

    Attributes:
        name: the feature's.
        lists: indices of the lists of ids, at least one.
        numbers: indices of the lists of numbers.
        pooling: pooling of the joined vectors.
    """

    name: str
    lists: tuple[int, ...]
    numbers: tuple[int, ...]
    pooling: Pooling


@dataclass(frozen=True)
class TextColumn:
    """One text feature and the language model that reads it.

    Attributes:
        name: the feature's.
        source: source of the language model, a folder or a name on the hub.
        config: the language model's architecture, as JSON.
        dim: width of the language model's outputs.
        vocabulary: number of tokens.
        padding: id of the padding token.
        pooling: pooling of the outputs, ``mean`` or ``cls``.
        frozen: whether the language model is not trained.
        lr_factor: factor of the learning rate for the language model.
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
    """A piecewise linear embedding of width ``dim``, with bins between neighbouring edges.

    With ``flat``, numbers beyond the outermost edges are as if they were at these edges.
    """

    edges: tuple[float, ...]
    dim: int
    flat: bool = False


@dataclass(frozen=True)
class PeriodicNumber:
    """A periodic embedding of width ``dim``, with ``frequencies`` frequencies that are drawn from N(0, sigma^2)."""

    frequencies: int
    sigma: float
    dim: int


NumberEmbedding = PiecewiseLinearNumber | PeriodicNumber
"""Embedding of a number."""


@dataclass(frozen=True)
class NumberColumn:
    """One embedded number: its feature, its column of the float matrix, and its embedding."""

    name: str
    column: int
    embedding: NumberEmbedding


@dataclass(frozen=True)
class Layout:
    """The columns of an encoded table.

    Attributes:
        fields: embedding tables.
        ids: name and field index of every column of the id matrix.
        lists: multi-valued features.
        floats: a name for every column of the float matrix.
        float_features: the feature that each float column belongs to; by default each column is a feature of its name.
        texts: text features.
        numbers: the embedded columns of the float matrix; the others are passed on unchanged.
        number_lists: lists of numbers beside lists of ids.
        joined: the features whose lists are joined.
    """

    fields: tuple[EmbeddingField, ...] = ()
    ids: tuple[tuple[str, int], ...] = ()
    lists: tuple[ListColumn, ...] = ()
    floats: tuple[str, ...] = ()
    float_features: tuple[str, ...] = ()
    texts: tuple[TextColumn, ...] = ()
    numbers: tuple[NumberColumn, ...] = ()
    number_lists: tuple[NumberList, ...] = ()
    joined: tuple[JoinedLists, ...] = ()

    @cached_property
    def id_features(self) -> tuple[str, ...]:
        """The features of the id matrix, one column each."""
        return tuple(name for name, _ in self.ids)

    @cached_property
    def float_widths(self) -> dict[str, int]:
        """Number of float columns per feature, in the order of the features."""
        return dict(Counter(self.float_features or self.floats))


Matrix = TypeVar("Matrix")
Lists = TypeVar("Lists")


@dataclass(frozen=True)
class Assembled(Generic[Matrix, Lists]):
    """The inputs of a model: two matrices with the columns of many features, and one entry per list and text."""

    ids: Matrix
    floats: Matrix
    lists: tuple[Lists, ...]
    texts: tuple[Lists, ...]
    number_lists: tuple[Lists, ...]


def assemble(
    layout: Layout, matrix: Callable[[str, Sequence[str]], Matrix], single: Callable[[str], Lists]
) -> Assembled[Matrix, Lists]:
    """Return encoded features in the order in which a model reads them: arrays, tensors of a graph, or feeds.

    Args:
        layout: the columns of the model.
        matrix: returns the matrix ``IDS`` or ``FLOATS`` of the given features, in the order of the features.
        single: returns the encoded list, text, or list of numbers of a name.
    """
    return Assembled(
        ids=matrix(IDS, layout.id_features),
        floats=matrix(FLOATS, tuple(layout.float_widths)),
        lists=tuple(single(column.name) for column in layout.lists),
        texts=tuple(single(column.name) for column in layout.texts),
        number_lists=tuple(single(column.name) for column in layout.number_lists),
    )
