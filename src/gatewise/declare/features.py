"""Features: how the model reads the columns of a table.

Every feature reads the column of its name, or ``column``. Two rows of every embedding table are reserved: one for
values that were not in the training table (out of vocabulary), one for null.
"""

from __future__ import annotations

from collections.abc import Sequence as SequenceOf
from dataclasses import field
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from gatewise.declare.base import KeyValue, Name, declaration
from gatewise.declare.doors import OpenTo, kinds_in, register_declared, registered
from gatewise.declare.events import Events
from gatewise.declare.indexing import Count, Dim, HashBuckets, KeyType, Size, check_one_way_to_index
from gatewise.declare.number_embeddings import NumberEmbedding
from gatewise.declare.poolings import Pooling
from gatewise.declare.pretrained import PretrainedVectors
from gatewise.errors import DeclarationError

DEFAULT_BUCKETS = 32
WEIGHTED_POOLINGS = ("mean", "sum")
"""Poolings that weights of items change."""


def _rising(values: SequenceOf[float]) -> tuple[float, ...]:
    for earlier, later in pairwise(values):
        if not earlier < later:
            raise ValueError(f"expected rising numbers, found {later:g} after {earlier:g}")
    return tuple(values)


@declaration
class Categorical:
    """One id or category per row: integers, strings or booleans, looked up in an embedding table.

    Example:
        >>> Categorical("user_id", dim=16).dim
        16
    """

    name: Name
    """The feature's name."""
    dim: Dim = 16
    """Width of the embedding."""
    min_count: Count = 1
    """Values with fewer occurrences, over the training table and all updates, share the out-of-vocabulary row."""
    hash_buckets: HashBuckets | None = None
    """Number of rows to hash values into, instead of a learnt vocabulary."""
    column: Name | None = None
    """The table's column, if it has another name than the feature."""
    dtype: KeyType | None = field(default=None, kw_only=True)
    """Type of the values: ``string`` for codes such as 07, which is not 7; None: the training table's type."""
    size: Size | None = field(default=None, kw_only=True)
    """Values are ids from 0 to ``size`` - 1: one row per id without a vocabulary; other values are errors."""
    shares: Name | None = field(default=None, kw_only=True)
    """Another categorical feature whose vocabulary and embedding table this feature uses, with that table's width."""
    keep_days: Count | None = field(default=None, kw_only=True)
    """A value that was in none of so many updates loses its row, which the next new value gets; None: never."""
    max_rows: Count | None = field(default=None, kw_only=True)
    """Most values that have rows; when they are full, a new value gets the row of the one not seen for longest."""
    pretrained: PretrainedVectors | None = field(default=None, kw_only=True)
    """A file with vectors that the embedding table begins with, and keeps if they are frozen."""
    kind: Literal["categorical"] = field(default="categorical", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _one_way_to_index(self) -> Categorical:
        check_one_way_to_index(self)
        _check_pretrained(self)
        return self


@declaration
class Numeric:
    """One number per row. Null becomes the mean; a second 0/1 column tells which rows were null.

    Transforms, learnt on the training table:

    - ``standard``: (x - mean) / standard deviation
    - ``log``: sign(x) ln(1 + abs(x)), then standardised
    - ``quantile``: the empirical distribution function, interpolated, scaled to mean 0 and variance 1
    - ``none``: x itself, in its own unit
    - ``bucket``: equally filled buckets, or those between ``boundaries``, each an embedding row of width ``dim``; null
      has its own row

    A transform returns one number, or with ``embedding`` a vector.
    """

    name: Name
    """The feature's name."""
    transform: Literal["standard", "log", "quantile", "none", "bucket"] = "standard"
    """Transform of the number."""
    buckets: Annotated[int, Field(ge=2, le=65_536)] = DEFAULT_BUCKETS
    """Number of buckets of the ``bucket`` transform; fewer if values repeat."""
    dim: Dim = 8
    """Width of a bucket's embedding."""
    embedding: NumberEmbedding | None = field(default=None, kw_only=True)
    """Embedding of the transformed number: ``piecewise_linear``, ``periodic``; None: the model reads the number."""
    column: Name | None = None
    """The table's column, if it has another name than the feature."""
    boundaries: Annotated[SequenceOf[float], Field(min_length=1), AfterValidator(_rising)] | None = field(
        default=None, kw_only=True
    )
    """Rising boundaries of the buckets, in the number's own unit; a number at a boundary is in the bucket above it."""
    kind: Literal["numeric"] = field(default="numeric", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _embedded_once(self) -> Numeric:
        if self.embedding is not None and self.transform == "bucket":
            raise ValueError("transform 'bucket' embeds the number already: give another transform or no embedding")
        return self

    @model_validator(mode="after")
    def _buckets_once(self) -> Numeric:
        if self.boundaries is not None and self.transform != "bucket":
            raise ValueError(f"boundaries are those of transform 'bucket', found {self.transform!r}")
        if self.boundaries is not None and self.buckets != DEFAULT_BUCKETS:
            raise ValueError("boundaries say how many buckets there are: give no buckets beside them")
        return self


@declaration
class Sequence:
    """Several ids or categories per row: a list column, or a string with items between separators.

    An empty list pools to zeros; a null list reads the embedding table's null row.
    """

    name: Name
    """The feature's name."""
    dim: Dim | None = None
    """Width of the embedding; by default 16, or the shared feature's width."""
    pooling: Pooling = "mean"
    """How the items' embeddings become one vector; None: items stay apart, for a model that reads sequences."""
    separator: Annotated[str, Field(min_length=1)] = "|"
    """Text between the items if the column holds strings."""
    max_length: Count | None = None
    """Largest number of items that are kept."""
    keep: Literal["first", "last"] = "last"
    """Which items are kept if there are more than ``max_length``."""
    shares: Name | None = None
    """A categorical feature whose vocabulary and embedding table this feature uses."""
    min_count: Count = 1
    """Values with fewer occurrences, over the training table and all updates, share the out-of-vocabulary row."""
    hash_buckets: HashBuckets | None = None
    """Number of rows to hash values into, instead of a learnt vocabulary."""
    column: Name | None = None
    """The table's column, if it has another name than the feature."""
    dtype: KeyType | None = field(default=None, kw_only=True)
    """Type of the items, ``string`` or ``integer``; None: the training table's type, for a text column ``string``."""
    padding: KeyValue | None = field(default=None, kw_only=True)
    """The value that fills short lists, such as 0 in a padded array; wherever it stands, it is not an item."""
    pretrained: PretrainedVectors | None = field(default=None, kw_only=True)
    """A file with vectors that the embedding table begins with, and keeps if they are frozen."""
    size: Size | None = field(default=None, kw_only=True)
    """Items are ids from 0 to ``size`` - 1: one row per id without a vocabulary; other items are errors."""
    keep_days: Count | None = field(default=None, kw_only=True)
    """A value that was in none of so many updates loses its row, which the next new value gets; None: never."""
    max_rows: Count | None = field(default=None, kw_only=True)
    """Most values that have rows; when they are full, a new value gets the row of the one not seen for longest."""
    weights: Name | None = field(default=None, kw_only=True)
    """A column with a weight per item, 0 or more, for pooling ``mean`` (weighted mean) or ``sum`` (weighted sum)."""
    kind: Literal["sequence"] = field(default="sequence", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _one_way_to_index(self) -> Sequence:
        check_one_way_to_index(self)
        _check_pretrained(self)
        return self

    @model_validator(mode="after")
    def _weighted_sums(self) -> Sequence:
        if self.weights is None:
            return self
        if self.pooling not in WEIGHTED_POOLINGS:
            found = self.pooling if isinstance(self.pooling, str) else getattr(self.pooling, "kind", None)
            raise ValueError(f"weights are those of pooling 'mean' or 'sum', found {found!r}")
        if self.weights == (self.column or self.name):
            raise ValueError(f"weights: expected another column than that of the items, {self.weights!r}")
        return self


def _check_pretrained(feature: Categorical | Sequence) -> None:
    """Refuse vectors for a table that belongs to another feature, or whose rows are not values."""
    if feature.pretrained is None:
        return
    if feature.shares is not None:
        raise ValueError(f"the table is that of {feature.shares!r}: declare pretrained there")
    if feature.hash_buckets is not None:
        raise ValueError(
            "pretrained gives a vector per value, and hash_buckets has values share rows: give one of them"
        )
    if feature.pretrained.frozen and (feature.keep_days is not None or feature.max_rows is not None):
        raise ValueError(
            "rows of frozen vectors are not trained, a new value learns nothing: give no keep_days or max_rows"
        )
    if feature.pretrained.is_array and feature.size is None:
        raise ValueError("pretrained: the rows of a .npy array are ids: it needs a size")


@declaration
class Vector:
    """A list of ``size`` numbers per row, such as an embedding computed elsewhere; the model reads it unchanged.

    A null vector becomes zeros; a second 0/1 column tells which rows were null.
    """

    name: Name
    """The feature's name."""
    size: Annotated[int, Field(gt=0, le=65_536)]
    """Length of every row's list."""
    column: Name | None = None
    """The table's column, if it has another name than the feature."""
    kind: Literal["vector"] = field(default="vector", kw_only=True, repr=False)


@declaration
class Text:
    """Free text, read as the pooled outputs of a language model of ``transformers`` (extra ``text``).

    A frozen language model reads every distinct text of a table once. A null text becomes zeros. The artefact holds the
    language model and its tokeniser, so that loading needs no download.
    """

    name: Name
    """The feature's name."""
    encoder: Name
    """The language model: a folder, or a name on the Hugging Face hub, such as ``bert-base-uncased``."""
    pooling: Literal["mean", "cls"] = "mean"
    """How the language model's outputs become one vector: their mean, or the first output."""
    frozen: bool = True
    """Whether the language model stays unchanged; otherwise it is trained with the other layers."""
    lr_factor: Annotated[float, Field(gt=0, le=1)] = 0.02
    """Factor of the learning rate for a trained language model; large steps destroy the pretrained weights."""
    max_length: Count = 128
    """Largest number of tokens that are read per text."""
    column: Name | None = None
    """The table's column, if it has another name than the feature."""
    kind: Literal["text"] = field(default="text", kw_only=True, repr=False)


Feature = Annotated[
    Categorical | Numeric | Sequence | Events | Vector | Text, Field(discriminator="kind"), OpenTo("feature")
]
KINDS = frozenset(kinds_in(Feature))


def register_feature(declared: type) -> None:
    """Make schemas accept a new kind of feature; :func:`gatewise.data.register_kind` also registers the encoding.

    Args:
        declared: a class made by :func:`declaration` with the fields ``name``, ``column`` and ``kind``, whose default
            is the name of the kind.

    Raises:
        DeclarationError: the class has no kind, or the kind of another declaration.
    """
    kind = getattr(declared, "kind", None)
    if not isinstance(kind, str) or kind in KINDS or registered("feature").get(kind, declared) is not declared:
        raise DeclarationError(
            f"{declared.__name__}: expected a kind of its own as the default of 'kind', found {kind!r}"
        )
    register_declared("feature", kind, declared, declared)


def shared_table(feature: object) -> str | None:
    """Return the name of the feature whose embedding table a feature shares; None: it has its own, or none."""
    owner: str | None = getattr(feature, "shares", None)
    return owner
