"""Ranks under weights, tied rows sharing theirs, and the equal parts that they cut the rows into."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.metrics.order import ascending, descending_keys


def mid_ranks(scores: Tensor, weights: Tensor) -> Tensor:
    """Return for each row the weight of the rows that score higher and half of that of its ties, itself included.

    All are ``[row]``. With weights of 1 this is the average rank, counted from the highest score, less a half.
    """
    keys = descending_keys(scores)
    order = ascending(keys)
    _, block = torch.unique_consecutive(keys.index_select(0, order), return_inverse=True)  # [row] in order
    blocks = int(block[-1]) + 1 if len(block) else 0
    tied = weights.new_zeros(blocks).index_add_(0, block, weights.index_select(0, order))  # [block]
    ranks = (tied.cumsum(0) - tied / 2).index_select(0, block)  # [row] in order
    return torch.empty_like(ranks).index_copy_(0, order, ranks)


def equal_parts(ranks: Tensor, total: Tensor, parts: int) -> Tensor:
    """Return the part from 0 to ``parts - 1`` that each rank falls into, of as many parts of equal weight.

    Tied rows have one rank, so they stay together, where the middle of them is; ``total`` is the weight of all.
    """
    # A rank on a boundary is not moved over it by the rounding of its weights.
    return (ranks / total * parts + 1e-9).long().clamp(max=parts - 1)
