"""Lists of different length as matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from gatewise.nn import TextBatch
from gatewise.nn.ragged import PADDING


def padded(values: np.ndarray, offsets: np.ndarray, padding: Any) -> np.ndarray:
    """Return the lists ``values[offsets[i] : offsets[i + 1]]`` as ``[row, longest]``, with padding after each."""
    lengths = np.diff(offsets)
    present = np.arange(lengths.max(initial=0)) < lengths[:, np.newaxis]
    matrix = np.full(present.shape, padding, values.dtype)
    matrix[present] = values
    return matrix


def never_empty(ids: Tensor) -> Tensor:
    """Return lists ``[batch, length]`` with one more padding, which changes nothing: no list is of length 0."""
    return torch.nn.functional.pad(ids, (0, 1), value=PADDING)


def one_each(tokens: Tensor) -> TextBatch:
    """Return a batch of texts ``[batch, length]``, each row with its own, and a text that no row has."""
    more = torch.nn.functional.pad(tokens, (0, 1, 0, 1), value=PADDING)
    return TextBatch(more, torch.arange(tokens.shape[0], device=tokens.device))
