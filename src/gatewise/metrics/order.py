"""The order of rows by score and by group: the one costly step of every metric that ranks.

Rows that already stand in order are not sorted again: :func:`gatewise.metrics.bootstrap_interval` sorts once and then
asks a metric a thousand times. Rows are gathered with ``index_select``: on a CPU it is five times as fast as ``[]``.
"""

from __future__ import annotations

import torch
from torch import Tensor


def descending_keys(scores: Tensor) -> Tensor:
    """Return int64 keys that ascend where the float64 scores descend, and are equal where they are.

    On a CPU torch sorts integers by radix, about eight times faster than floats. The bits of positive floats
    already order as integers; those of negative ones do once all but the sign are flipped.
    """
    bits = (0.0 - scores).view(torch.int64)  # 0.0 - x and not -x: both zeros become +0.0
    return bits ^ ((bits >> 63) & torch.iinfo(torch.int64).max)


def ascending(keys: Tensor, groups: Tensor | None = None) -> Tensor:
    """Return the positions of the rows by group, if there are groups, and then by key, all ``[row]``.

    Rows with the same key and group keep their order.
    """
    rises = keys[1:] >= keys[:-1]
    if groups is not None:
        rises = (groups[1:] > groups[:-1]) | ((groups[1:] == groups[:-1]) & rises)
    if rises.all():
        return torch.arange(len(keys), device=keys.device)
    order = torch.sort(keys, stable=True).indices
    if groups is None:
        return order
    return order.index_select(0, torch.sort(groups.index_select(0, order), stable=True).indices)


def starts(keys: Tensor) -> Tensor:
    """Return which rows (``[row]``, bool) differ from the row before them; the first one does."""
    first = torch.ones(len(keys), dtype=torch.bool, device=keys.device)
    first[1:] = keys[1:] != keys[:-1]
    return first
