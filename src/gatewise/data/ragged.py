"""Encoded lists and texts of different length, and their padded matrices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from gatewise.layout import NO_NUMBER, PADDING


@dataclass(frozen=True)
class RaggedLists:
    """Lists: row i holds ``values[offsets[i] : offsets[i + 1]]``.

    Attributes:
        padding: the value of places without an item in a padded matrix.
    """

    values: np.ndarray
    offsets: np.ndarray
    padding: ClassVar[float]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def longest(self) -> int:
        """Length of the longest list."""
        return int(np.diff(self.offsets).max(initial=0))

    def padded(self) -> np.ndarray:
        """Return the lists as one matrix ``[row, longest]``, padded at the end."""
        return padded(self.values, self.offsets, self.padding)

    def followed_by(self, other: Self) -> Self:
        """Return the lists of both, below each other."""
        offsets = np.concatenate([self.offsets, other.offsets[1:] + self.offsets[-1]])
        return type(self)(np.concatenate([self.values, other.values]), offsets)

    def taken(self, index: np.ndarray) -> Self:
        """Return the lists of the chosen rows, in their order."""
        starts, lengths = self.offsets[index], self.offsets[index + 1] - self.offsets[index]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return type(self)(self.values[places], offsets)


class RaggedIds(RaggedLists):
    """Lists of ids."""

    padding = PADDING


class RaggedNumbers(RaggedLists):
    """Lists of float32 numbers beside lists of ids."""

    padding = NO_NUMBER


@dataclass(frozen=True)
class EncodedTexts:
    """A text column.

    Attributes:
        tokens: the tokens of every distinct text; the last entry is for null and is empty.
        codes: ``[row]`` int64, index of each row's text.
    """

    tokens: RaggedIds
    codes: np.ndarray

    @property
    def longest(self) -> int:
        """Number of tokens of the longest text."""
        return self.tokens.longest

    def followed_by(self, other: EncodedTexts) -> EncodedTexts:
        """Return the texts of both, below each other."""
        codes = np.concatenate([self.codes, other.codes + len(self.tokens)])
        return EncodedTexts(self.tokens.followed_by(other.tokens), codes)

    def padded(self) -> np.ndarray:
        """Return the tokens of every row as one matrix ``[row, longest]``, padded at the end."""
        return self.tokens.padded()[self.codes]


Single = np.ndarray | RaggedLists | EncodedTexts
"""Ids ``[row]``, floats ``[row, column]``, ragged lists or texts."""


@dataclass(frozen=True)
class AlignedLists:
    """Several lists of one feature that have equal lengths in every row, by the name of the list."""

    lists: Mapping[str, RaggedLists]

    def __len__(self) -> int:
        return len(next(iter(self.lists.values())))


Encoded = Single | AlignedLists
"""What a feature is encoded as."""


def parts_by_name(feature: str, encoded: Encoded) -> Mapping[str, Single]:
    """Return an encoded feature under its name, or its lists under theirs."""
    return encoded.lists if isinstance(encoded, AlignedLists) else {feature: encoded}


def writable(values: np.ndarray) -> np.ndarray:
    """Return contiguous values that may be written: torch shares the memory, and arrays from Arrow are read-only."""
    return np.require(values, requirements=["C", "W"])


def padded(values: np.ndarray, offsets: np.ndarray, padding: Any) -> np.ndarray:
    """Return the lists ``values[offsets[i] : offsets[i + 1]]`` as ``[row, longest]``, padded at the end."""
    lengths = np.diff(offsets)
    present = np.arange(lengths.max(initial=0)) < lengths[:, np.newaxis]
    matrix = np.full(present.shape, padding, values.dtype)
    matrix[present] = values
    return matrix


def trimmed(lists: np.ndarray) -> np.ndarray:
    """Return padded lists ``[row, place]``, of ids or of numbers, without the places that are padding in every row."""
    there = ~np.isnan(lists) if lists.dtype.kind == "f" else lists != PADDING
    return lists[:, : int(there.any(axis=0).sum())]


def as_matrix(encoded: Single) -> np.ndarray:
    """Return encoded rows as one matrix ``[row, column]``; lists and tokens are padded at the end."""
    if isinstance(encoded, np.ndarray):
        return encoded if encoded.ndim == 2 else encoded[:, np.newaxis]
    return encoded.padded()
