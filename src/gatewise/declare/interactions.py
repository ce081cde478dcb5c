"""Interactions of features: what is made of the input layer's vectors before the trunk reads them."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field

from gatewise.declare.base import declaration, shorthand
from gatewise.declare.doors import OpenTo

Count = Annotated[int, Field(gt=0)]


@declaration
class Interaction:
    """What all interactions have in common; none of it is an option."""


@declaration
class CrossInteraction(Interaction):
    """A cross network: products of features (DCN-v2; Wang et al., WWW 2021)."""

    width: Count | None = field(default=None, kw_only=True)
    """Width of the output; None: that of the input."""
    layers: Count = field(default=2, kw_only=True)
    """How many crosses; products have one factor more."""
    rank: Count | None = field(default=None, kw_only=True)
    """Of the matrices; None: full."""
    kind: Literal["cross"] = field(default="cross", kw_only=True, repr=False)


AnyInteraction = Annotated[
    Annotated[CrossInteraction, Field()],
    shorthand,
    OpenTo("interaction"),
]
