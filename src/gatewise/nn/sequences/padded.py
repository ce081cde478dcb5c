"""Sequences of different length in one tensor."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Padded(NamedTuple):
    """Vectors of sequences; the items come first, padding after them.

    Shape:
        - vectors: ``[batch, length, dim]``, zeros where there is padding
        - present: ``[batch, length]`` bool, False where there is padding
    """

    vectors: Tensor
    present: Tensor
