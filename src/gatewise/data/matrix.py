"""Concatenation of columns into one matrix with contiguous rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

BLOCK_ROWS = 4096
"""Number of rows that stay in the processor's cache until all their columns are written."""


def side_by_side(pieces: Sequence[np.ndarray], rows: int, dtype: DTypeLike) -> np.ndarray:
    """Return one matrix ``[row, column]`` from pieces that are columns ``[row]`` or matrices ``[row, column]``."""
    if not pieces:
        return np.zeros((rows, 0), dtype)
    pieces = [piece if piece.ndim == 2 else piece[:, np.newaxis] for piece in pieces]
    matrix = np.empty((rows, sum(piece.shape[1] for piece in pieces)), dtype)
    for start in range(0, rows, BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        np.concatenate([piece[block] for piece in pieces], axis=1, out=matrix[block])
    return matrix
