"""From the embeddings that a layout names to modules."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from torch import nn

from gatewise.layout import NumberEmbedding, PeriodicNumber, PiecewiseLinearNumber
from gatewise.nn.numbers.periodic import PeriodicEmbeddings
from gatewise.nn.numbers.piecewise_linear import PiecewiseLinearEmbeddings


def family(embedding: NumberEmbedding) -> Hashable:
    """Return the key that numbers share if one module can embed them; everything but the bins must be equal."""
    return ("bins", embedding.dim, embedding.flat) if isinstance(embedding, PiecewiseLinearNumber) else embedding


def make_embeddings(embeddings: Sequence[NumberEmbedding]) -> nn.Module:
    """Return a new module that embeds numbers of one family."""
    match embeddings[0]:
        case PiecewiseLinearNumber(dim=dim, flat=flat):
            edges = [embedding.edges for embedding in embeddings if isinstance(embedding, PiecewiseLinearNumber)]
            return PiecewiseLinearEmbeddings(edges, dim, flat=flat)
        case PeriodicNumber(frequencies=frequencies, sigma=sigma, dim=dim):
            return PeriodicEmbeddings(len(embeddings), frequencies, sigma, dim)
