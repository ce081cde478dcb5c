"""Features of DeepCTR-Torch."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gatewise.compat.fields import Field
from gatewise.compat.moved import NoCounterpartError

LIBRARY = "deepctr-torch"


@dataclass(frozen=True)
class SparseFeat:
    """One id per row, from 0 to ``vocabulary_size`` - 1."""

    name: str
    vocabulary_size: int
    embedding_dim: int | Literal["auto"] = 4
    use_hash: bool = False
    dtype: str = "int32"
    embedding_name: str | None = None
    group_name: str = "default_group"

    def __post_init__(self) -> None:
        if self.use_hash:
            raise NoCounterpartError(f"use_hash of feature {self.name!r}", LIBRARY)
        if self.embedding_dim == "auto":
            object.__setattr__(self, "embedding_dim", 6 * int(self.vocabulary_size**0.25))
        if self.embedding_name is None:
            object.__setattr__(self, "embedding_name", self.name)

    @property
    def width(self) -> int:
        """Number of columns in the input."""
        return 1

    def field(self) -> Field:
        """Return the feature as plain values."""
        dim = int(self.embedding_dim)
        return Field(self.name, "id", int(self.vocabulary_size), dim, table=self.embedding_name or "")


@dataclass(frozen=True)
class VarLenSparseFeat:
    """Several ids per row: ``maxlen`` of them, of which 0 is none, or as many as the column ``length_name`` says."""

    sparsefeat: SparseFeat
    maxlen: int
    combiner: Literal["mean", "sum", "max"] = "mean"
    length_name: str | None = None

    @property
    def name(self) -> str:
        """The feature's name."""
        return self.sparsefeat.name

    @property
    def vocabulary_size(self) -> int:
        """Number of ids."""
        return self.sparsefeat.vocabulary_size

    @property
    def embedding_dim(self) -> int | Literal["auto"]:
        """Width of the embedding."""
        return self.sparsefeat.embedding_dim

    @property
    def embedding_name(self) -> str | None:
        """Name of the embedding table."""
        return self.sparsefeat.embedding_name

    @property
    def width(self) -> int:
        """Number of columns in the input."""
        return self.maxlen

    def field(self) -> Field:
        """Return the feature as plain values."""
        one = self.sparsefeat.field()
        padding = 0 if self.length_name is None else None
        return Field(
            one.name, "list", one.size, one.dim, self.combiner, padding, one.table, length=self.length_name or ""
        )


@dataclass(frozen=True)
class DenseFeat:
    """A number, or ``dimension`` numbers, per row."""

    name: str
    dimension: int = 1
    dtype: str = "float32"

    @property
    def width(self) -> int:
        """Number of columns in the input."""
        return self.dimension

    def field(self) -> Field:
        """Return the feature as plain values."""
        return Field(self.name, "number", dim=self.dimension)


AnyFeat = SparseFeat | VarLenSparseFeat | DenseFeat


def build_input_features(feature_columns: Sequence[AnyFeat]) -> OrderedDict[str, tuple[int, int]]:
    """Return the columns of each feature, and of each list's length, among all columns side by side."""
    found: OrderedDict[str, tuple[int, int]] = OrderedDict()
    start = 0
    for feature in feature_columns:
        length = getattr(feature, "length_name", None)
        for name, width in ((feature.name, feature.width), *(((length, 1),) if length else ())):
            if name not in found:
                found[name] = (start, start + width)
                start += width
    return found


def get_feature_names(feature_columns: Sequence[AnyFeat]) -> list[str]:
    """Return the names of all features and of lists' lengths."""
    return list(build_input_features(feature_columns))
