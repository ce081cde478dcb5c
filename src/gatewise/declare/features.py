"""Features: what a column of the table means to the model.

Every feature names a column; ``column`` is only needed where the column is called otherwise. Two rows of every
embedding table are reserved: one for values that were not in the training table (out of vocabulary), one for null.
"""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gatewise.declare.base import Name, declaration
from gatewise.declare.doors import OpenTo, register_declared, registered
from gatewise.declare.number_embeddings import NumberEmbedding
from gatewise.declare.poolings import Pooling
from gatewise.errors import DeclarationError

Dim = Annotated[int, Field(gt=0, le=65_536)]
Count = Annotated[int, Field(gt=0)]
KeyType = Literal["string", "integer"]
HashBuckets = Annotated[int, Field(ge=2, le=2_147_483_000)]


@declaration
class Categorical:
    """One id or category a row: integers, strings or booleans, looked up in an embedding table.

    Example:
        >>> Categorical("user_id", dim=16).dim
        16
    """

    name: Name
    """The feature's name."""
    dim: Dim = 16
    """Width of the embedding."""
    min_count: Count = 1
    """Values seen less often in the training table share the out-of-vocabulary row."""
    hash_buckets: HashBuckets | None = None
    """Hash values into this many rows and learn no vocabulary."""
    column: Name | None = None
    """The table's column, where it is not called like the feature."""
    dtype: KeyType | None = field(default=None, kw_only=True)
    """What values are: ``string`` for codes of digits, in which 07 is not 7; None: what the training table holds."""
    size: Annotated[int, Field(gt=0, le=2_147_483_000)] | None = field(default=None, kw_only=True)
    """Values are ids from 0 to ``size`` - 1 already: each has its row, no vocabulary is learnt, others are errors."""
    kind: Literal["categorical"] = field(default="categorical", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _one_way_to_index(self) -> Categorical:
        if self.hash_buckets is not None and self.min_count > 1:
            raise ValueError("min_count needs a vocabulary, hash_buckets has none: give one of them")
        if self.size is not None and (self.hash_buckets is not None or self.min_count > 1):
            raise ValueError("size says that values are rows already: give no min_count or hash_buckets beside it")
        if self.size is not None and self.dtype == "string":
            raise ValueError(f"size says that values are integers from 0 to {self.size - 1}: give no dtype 'string'")
        return self


@declaration
class Numeric:
    """One number a row. Null is allowed: it becomes the mean, with a 0/1 column beside it that says so.

    Transforms, all learnt on the training table:

    - ``standard``: (x - mean) / standard deviation
    - ``log``: sign(x) ln(1 + abs(x)), then standardised
    - ``quantile``: the empirical distribution function, interpolated, scaled to mean 0 and variance 1
    - ``bucket``: equally filled buckets, each an embedding row of width ``dim``; null has its own row

    What a transform gives is one number, or with ``embedding`` a vector made of it.
    """

    name: Name
    """The feature's name."""
    transform: Literal["standard", "log", "quantile", "bucket"] = "standard"
    """How the number reaches the model."""
    buckets: Annotated[int, Field(ge=2, le=65_536)] = 32
    """Buckets of the ``bucket`` transform, or fewer where values repeat."""
    dim: Dim = 8
    """Width of a bucket's embedding."""
    embedding: NumberEmbedding | None = field(default=None, kw_only=True)
    """How the transformed number becomes a vector: ``piecewise_linear``, ``periodic``; None: it stays a number."""
    column: Name | None = None
    """The table's column, where it is not called like the feature."""
    kind: Literal["numeric"] = field(default="numeric", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _embedded_once(self) -> Numeric:
        if self.embedding is not None and self.transform == "bucket":
            raise ValueError("transform 'bucket' embeds the number already: give another transform or no embedding")
        return self


@declaration
class Sequence:
    """Several ids or categories a row: a list column, or a string whose items are parted by ``separator``.

    An empty list pools to zeros; a null list is the table's null row.
    """

    name: Name
    """The feature's name."""
    dim: Dim | None = None
    """Width of the embedding; by default 16, or that of the shared feature."""
    pooling: Pooling = "mean"
    """How the items' embeddings become one vector; None: they do not, for a model that reads sequences."""
    separator: Annotated[str, Field(min_length=1)] = "|"
    """Parts the items where the column holds strings."""
    max_length: Count | None = None
    """Keep at most this many items."""
    keep: Literal["first", "last"] = "last"
    """Which items stay when there are more than ``max_length``."""
    shares: Name | None = None
    """A categorical feature whose vocabulary and embedding table this one uses."""
    min_count: Count = 1
    """Values seen less often in the training table share the out-of-vocabulary row."""
    hash_buckets: HashBuckets | None = None
    """Hash values into this many rows and learn no vocabulary."""
    column: Name | None = None
    """The table's column, where it is not called like the feature."""
    dtype: KeyType | None = field(default=None, kw_only=True)
    """What items are, ``string`` or ``integer``; None: what the training table holds, where text has items of text."""
    kind: Literal["sequence"] = field(default="sequence", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _one_way_to_index(self) -> Sequence:
        if self.hash_buckets is not None and self.min_count > 1:
            raise ValueError("min_count needs a vocabulary, hash_buckets has none: give one of them")
        if self.shares is not None and (self.hash_buckets is not None or self.min_count > 1 or self.dtype is not None):
            raise ValueError(f"the table is that of {self.shares!r}: declare min_count, hash_buckets and dtype there")
        return self


@declaration
class Vector:
    """A list of ``size`` numbers a row, such as an embedding computed elsewhere; it reaches the model as it is.

    A null vector becomes zeros, with a 0/1 column beside it that says so.
    """

    name: Name
    """The feature's name."""
    size: Annotated[int, Field(gt=0, le=65_536)]
    """Numbers in every row's list."""
    column: Name | None = None
    """The table's column, where it is not called like the feature."""
    kind: Literal["vector"] = field(default="vector", kw_only=True, repr=False)


@declaration
class Text:
    """Free text, read by a language model of ``transformers`` (extra ``text``) whose pooled outputs reach the model.

    A frozen language model reads every distinct text of a table once. A null text becomes zeros. The artefact holds the
    language model and its tokeniser, so that loading asks nobody for them.
    """

    name: Name
    """The feature's name."""
    encoder: Name
    """The language model: a folder, or a name on the Hugging Face hub, such as ``bert-base-uncased``."""
    pooling: Literal["mean", "cls"] = "mean"
    """How its outputs become one vector: their mean, or the first one."""
    frozen: bool = True
    """Whether it stays as it is; otherwise it is trained with the rest."""
    lr_factor: Annotated[float, Field(gt=0, le=1)] = 0.02
    """What the learning rate is multiplied with where it is trained: large steps undo what it knows."""
    max_length: Count = 128
    """Tokens of a text that are read."""
    column: Name | None = None
    """The table's column, where it is not called like the feature."""
    kind: Literal["text"] = field(default="text", kw_only=True, repr=False)


Feature = Annotated[Categorical | Numeric | Sequence | Vector | Text, Field(discriminator="kind"), OpenTo("feature")]
KINDS = frozenset(declared.kind for declared in (Categorical, Numeric, Sequence, Vector, Text))


def register_feature(declared: type) -> None:
    """Have schemas take a declaration of a new kind; :func:`gatewise.data.register_kind` gives it a meaning as well.

    Args:
        declared: a class made by :func:`declaration` with the fields ``name``, ``column`` and ``kind``, whose default
            is the name of the kind.

    Raises:
        DeclarationError: it has no kind, or that of another declaration.
    """
    kind = getattr(declared, "kind", None)
    if not isinstance(kind, str) or kind in KINDS or registered("feature").get(kind, declared) is not declared:
        raise DeclarationError(
            f"{declared.__name__}: expected a kind of its own as the default of 'kind', found {kind!r}"
        )
    register_declared("feature", kind, declared, declared)
