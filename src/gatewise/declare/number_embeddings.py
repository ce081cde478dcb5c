"""Number embeddings: how one number becomes a vector."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field

from gatewise.declare.base import declaration, shorthand

Count = Annotated[int, Field(gt=0, le=65_536)]


@declaration
class PiecewiseLinear:
    """Embedding of the number's position in each of several equally filled bins (Gorishniy et al., NeurIPS 2022)."""

    bins: Count = field(default=16, kw_only=True)
    """Number of bins; fewer if values repeat. Where fewer than half would be left, because most rows have the same few
    values, distinct values count once, so that tails have bins too."""
    dim: Count = field(default=8, kw_only=True)
    """Width of the embedding."""
    beyond: Literal["line", "flat"] = field(default="line", kw_only=True)
    """What numbers outside those of the training table become: ``line`` goes on with the slope of the outermost bin,
    ``flat`` stays at the outermost edge."""
    kind: Literal["piecewise_linear"] = field(default="piecewise_linear", kw_only=True, repr=False)


@declaration
class Periodic:
    """Embedding of sines and cosines of the number at learnt frequencies (Gorishniy et al., NeurIPS 2022)."""

    frequencies: Count = field(default=16, kw_only=True)
    """Number of frequencies."""
    sigma: Annotated[float, Field(gt=0)] = field(default=0.1, kw_only=True)
    """Standard deviation of the initial frequencies. Try small values first: too large harms more than too small."""
    dim: Count = field(default=8, kw_only=True)
    """Width of the embedding."""
    kind: Literal["periodic"] = field(default="periodic", kw_only=True, repr=False)


NumberEmbedding = Annotated[Annotated[PiecewiseLinear | Periodic, Field(discriminator="kind")], shorthand]
