"""Interactions of features, between the input layer and the trunk."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field

from gatewise.declare.base import declaration, shorthand
from gatewise.declare.doors import OpenTo

Count = Annotated[int, Field(gt=0)]


@declaration
class Interaction:
    """Base of all interactions; has no options."""


@declaration
class CrossInteraction(Interaction):
    """A cross network: products of features (DCN-v2; Wang et al., WWW 2021)."""

    width: Count | None = field(default=None, kw_only=True)
    """Width of the output; None: the input's width."""
    layers: Count = field(default=2, kw_only=True)
    """Number of cross layers; the largest products have one factor more."""
    rank: Count | None = field(default=None, kw_only=True)
    """Rank of the weight matrices; None: full rank."""
    kind: Literal["cross"] = field(default="cross", kw_only=True, repr=False)


AnyInteraction = Annotated[
    Annotated[CrossInteraction, Field()],
    shorthand,
    OpenTo("interaction"),
]
