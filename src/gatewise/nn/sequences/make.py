"""From a pooling that a layout names to a module."""

from __future__ import annotations

from typing import assert_never

from torch import nn

from gatewise.layout import (
    AttentionPooling,
    GRUPooling,
    JoinedAttention,
    Pooling,
    RegisteredPooling,
    SelfAttentionPooling,
)
from gatewise.nn.sequences.given import GivenPooling
from gatewise.nn.sequences.joined import ProjectedAttention
from gatewise.nn.sequences.plain import PlainPooling
from gatewise.nn.sequences.recurrent import RecurrentPooling
from gatewise.nn.sequences.target_attention import TargetAttention
from gatewise.nn.sequences.transformer import TransformerPooling
from gatewise.nn.sequences.weighted import WeightedPooling


def make_pooling(pooling: Pooling, dim: int, *, weighted: bool = False, target_dim: int = 0) -> nn.Module:
    """Return a new module of the given pooling, for items of width ``dim``, which may have weights.

    Args:
        pooling: the pooling.
        dim: width of an item.
        weighted: whether items have weights.
        target_dim: width of the target of joined lists, if there is one.
    """
    match pooling:
        case str() if weighted:
            return WeightedPooling(pooling, dim)
        case AttentionPooling():
            return TargetAttention(dim, pooling.dims, normalise=pooling.normalise)
        case JoinedAttention():
            return ProjectedAttention(dim, target_dim, pooling.dims, normalise=pooling.normalise)
        case GRUPooling():
            return RecurrentPooling("gru", dim, pooling.dim or dim)
        case SelfAttentionPooling():
            return TransformerPooling(dim, pooling.dim or dim, heads=pooling.heads, layers=pooling.layers)
        case RegisteredPooling():
            return GivenPooling(pooling.make(dim=dim), dim)
        case str():
            return PlainPooling(pooling, dim)
        case _:
            assert_never(pooling)
