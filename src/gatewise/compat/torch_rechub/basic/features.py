"""Features of torch-rechub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from gatewise.compat.fields import Field
from gatewise.compat.moved import NoCounterpartError

LIBRARY = "torch-rechub"


def _width(vocab_size: int) -> int:
    """Return the width of an embedding that is not given, from the number of ids."""
    return int(6 * vocab_size**0.25)


def _check(name: str, initializer: Any) -> None:
    if initializer is not None:
        raise NoCounterpartError(f"initializer of feature {name!r}", LIBRARY)


@dataclass
class SparseFeature:
    """One id per row, from 0 to ``vocab_size`` - 1."""

    name: str
    vocab_size: int
    embed_dim: int | None = None
    shared_with: str | None = None
    padding_idx: int | None = None
    initializer: Any = None

    def __post_init__(self) -> None:
        _check(self.name, self.initializer)
        self.vocab_size = int(self.vocab_size)
        self.embed_dim = _width(self.vocab_size) if self.embed_dim is None else self.embed_dim

    def field(self) -> Field:
        """Return the feature as plain values."""
        assert self.embed_dim is not None
        return Field(self.name, "id", self.vocab_size, self.embed_dim, table=self.shared_with or "")


@dataclass
class SequenceFeature:
    """Several ids per row, padded to one length."""

    name: str
    vocab_size: int
    embed_dim: int | None = None
    pooling: Literal["mean", "sum", "concat"] = "mean"
    shared_with: str | None = None
    padding_idx: int | None = None
    initializer: Any = None

    def __post_init__(self) -> None:
        _check(self.name, self.initializer)
        self.vocab_size = int(self.vocab_size)
        self.embed_dim = _width(self.vocab_size) if self.embed_dim is None else self.embed_dim

    def field(self) -> Field:
        """Return the feature as plain values."""
        assert self.embed_dim is not None
        if self.pooling == "concat":
            raise NoCounterpartError(f"pooling 'concat' of feature {self.name!r}", LIBRARY)
        table = self.shared_with or ""
        return Field(self.name, "list", self.vocab_size, self.embed_dim, self.pooling, self.padding_idx, table)


@dataclass
class DenseFeature:
    """A number, or ``embed_dim`` numbers, per row."""

    name: str
    embed_dim: int = 1

    def field(self) -> Field:
        """Return the feature as plain values."""
        return Field(self.name, "number", dim=self.embed_dim)


AnyFeature = SparseFeature | SequenceFeature | DenseFeature
