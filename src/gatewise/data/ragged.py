"""Encoded lists and texts of different length, and their padded matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from gatewise.layout import PADDING


@dataclass(frozen=True)
class RaggedIds:
    """Lists of ids: row i holds ``values[offsets[i] : offsets[i + 1]]``."""

    values: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def longest(self) -> int:
        """Length of the longest list."""
        return int(np.diff(self.offsets).max(initial=0))

    def padded(self) -> np.ndarray:
        """Return the lists as one matrix ``[row, longest]``, padded at the end."""
        return padded(self.values, self.offsets, PADDING)


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

    def padded(self) -> np.ndarray:
        """Return the tokens of every row as one matrix ``[row, longest]``, padded at the end."""
        return self.tokens.padded()[self.codes]


Encoded = np.ndarray | RaggedIds | EncodedTexts
"""Ids ``[row]``, floats ``[row, column]``, ragged ids or texts."""


def padded(values: np.ndarray, offsets: np.ndarray, padding: Any) -> np.ndarray:
    """Return the lists ``values[offsets[i] : offsets[i + 1]]`` as ``[row, longest]``, padded at the end."""
    lengths = np.diff(offsets)
    present = np.arange(lengths.max(initial=0)) < lengths[:, np.newaxis]
    matrix = np.full(present.shape, padding, values.dtype)
    matrix[present] = values
    return matrix


def trimmed(lists: np.ndarray) -> np.ndarray:
    """Return padded lists ``[row, place]`` without the places that are padding in every row."""
    return lists[:, : int((lists != PADDING).any(axis=0).sum())]


def as_matrix(encoded: Encoded) -> np.ndarray:
    """Return encoded rows as one matrix ``[row, column]``; lists and tokens are padded at the end."""
    if isinstance(encoded, np.ndarray):
        return encoded if encoded.ndim == 2 else encoded[:, np.newaxis]
    return encoded.padded()
