"""Declared poolings in the layout's form."""

from __future__ import annotations

from functools import partial

from gatewise import declare
from gatewise.declare.events import EventPooling
from gatewise.declare.poolings import Pooling as DeclaredPooling
from gatewise.layout import (
    AttentionPooling,
    GRUPooling,
    JoinedAttention,
    Pooling,
    RegisteredPooling,
    SelfAttentionPooling,
)


def pooling_of(pooling: DeclaredPooling | EventPooling) -> Pooling | None:
    """Return a declared pooling in the layout's form."""
    match pooling:
        case declare.Attention(target=target, dims=dims, normalise=normalise):
            return AttentionPooling(target, tuple(dims), normalise)
        case declare.EventAttention(target=targets, dims=dims, normalise=normalise):
            return JoinedAttention(tuple(targets), tuple(dims), normalise)
        case declare.GRU(dim=dim):
            return GRUPooling(dim)
        case declare.Transformer(dim=dim, heads=heads, layers=layers):
            return SelfAttentionPooling(dim, heads, layers)
        case declare.RegisteredPooling():
            return RegisteredPooling(pooling, partial(declare.made_of, pooling))
        case _:
            return pooling
