"""Sequences of different length in one tensor."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Padded(NamedTuple):
    """Vectors of sequences, items first, padding at the end.

    Shape:
        - vectors: ``[batch, length, dim]``, zeros for padding
        - present: ``[batch, length]`` bool, the padding mask: False for padding
    """

    vectors: Tensor
    present: Tensor
