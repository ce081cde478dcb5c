"""Concatenation of columns into one matrix with contiguous rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

BLOCK_ROWS = 4096
"""Number of rows that stay in the processor's cache until all their columns are written."""


@dataclass(frozen=True)
class Coded:
    """A column ``[row]`` that is looked up while it is put into a matrix: its codes are often of 8 or 16 bits.

    Attributes:
        values: ``[code]``.
        codes: ``[row]``.
    """

    values: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: slice) -> np.ndarray:
        return self.values.take(self.codes[rows])


Piece = np.ndarray | Coded


def side_by_side(pieces: Sequence[Piece], rows: int, dtype: DTypeLike) -> np.ndarray:
    """Return one matrix ``[row, column]`` from pieces that are columns ``[row]`` or matrices ``[row, column]``."""
    if not pieces:
        return np.zeros((rows, 0), dtype)
    matrix = np.empty((rows, sum(map(_width, pieces))), dtype)
    for start in range(0, rows, BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        np.concatenate([_columns(piece[block]) for piece in pieces], axis=1, out=matrix[block])
    return matrix


def _width(piece: Piece) -> int:
    return 1 if isinstance(piece, Coded) or piece.ndim == 1 else piece.shape[1]


def _columns(piece: np.ndarray) -> np.ndarray:
    return piece if piece.ndim == 2 else piece[:, np.newaxis]
