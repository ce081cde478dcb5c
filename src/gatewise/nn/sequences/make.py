"""From what the layout says to a module."""

from __future__ import annotations

from torch import nn

from gatewise.layout import AttentionPooling, GRUPooling, Pooling, SelfAttentionPooling
from gatewise.nn.sequences.plain import PlainPooling
from gatewise.nn.sequences.recurrent import RecurrentPooling
from gatewise.nn.sequences.target_attention import TargetAttention
from gatewise.nn.sequences.transformer import TransformerPooling


def make_pooling(pooling: Pooling, dim: int) -> nn.Module:
    """Return a new module that pools items of a width as is laid out."""
    match pooling:
        case AttentionPooling():
            return TargetAttention(dim, pooling.dims, normalise=pooling.normalise)
        case GRUPooling():
            return RecurrentPooling("gru", dim, pooling.dim or dim)
        case SelfAttentionPooling():
            return TransformerPooling(dim, pooling.dim or dim, heads=pooling.heads, layers=pooling.layers)
        case _:
            return PlainPooling(pooling, dim)
