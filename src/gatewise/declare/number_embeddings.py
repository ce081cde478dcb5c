"""Number embeddings: how one number becomes a vector."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field

from gatewise.declare.base import declaration, shorthand

Count = Annotated[int, Field(gt=0, le=65_536)]


@declaration
class PiecewiseLinear:
    """Where the number is in each of several equally filled bins (Gorishniy et al., NeurIPS 2022)."""

    bins: Count = field(default=16, kw_only=True)
    """How many, or fewer where values repeat."""
    dim: Count = field(default=8, kw_only=True)
    """Width of the embedding."""
    kind: Literal["piecewise_linear"] = field(default="piecewise_linear", kw_only=True, repr=False)


@declaration
class Periodic:
    """Sines and cosines of the number at frequencies that are learnt (Gorishniy et al., NeurIPS 2022)."""

    frequencies: Count = field(default=16, kw_only=True)
    """How many."""
    sigma: Annotated[float, Field(gt=0)] = field(default=0.1, kw_only=True)
    """The standard deviation that they are drawn with. Try smaller ones first: too large a one harms more."""
    dim: Count = field(default=8, kw_only=True)
    """Width of the embedding."""
    kind: Literal["periodic"] = field(default="periodic", kw_only=True, repr=False)


NumberEmbedding = Annotated[Annotated[PiecewiseLinear | Periodic, Field(discriminator="kind")], shorthand]
