"""Columns of several matrices, arranged in the order that a model reads."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor


class Block(NamedTuple):
    """A matrix ``[batch, column]`` and the key of each of its columns."""

    names: Sequence[Hashable]
    columns: Tensor


def arranged(blocks: Sequence[Block], wanted: Sequence[Hashable], rows: int, dtype: torch.dtype) -> Tensor:
    """Return the wanted columns of all blocks, in order: two operations, however many there are."""
    used = [block for block in blocks if set(block.names) & {*wanted}]
    if not used:
        return torch.zeros(rows, 0, dtype=dtype)
    places = {name: place for place, name in enumerate(name for block in used for name in block.names)}
    columns = torch.cat([block.columns for block in used], dim=1) if len(used) > 1 else used[0].columns
    return taken(columns, [places[name] for name in wanted])


def taken(columns: Tensor, places: list[int]) -> Tensor:
    """Return some columns of a matrix, in order."""
    if places == [*range(columns.shape[1])]:
        return columns
    return columns.index_select(1, torch.tensor(places))
