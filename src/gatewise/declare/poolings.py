"""Poolings: how the items of a sequence become one vector."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from gatewise.declare.base import Dims, Name, declaration
from gatewise.declare.doors import OpenTo

Count = Annotated[int, Field(gt=0)]


@declaration
class Attention:
    """Items weighed by their relevance to a target, such as the candidate item (Zhou et al., KDD 2018)."""

    target: Name
    """A categorical feature of the sequence's width; often the feature whose table the sequence shares."""
    dims: Dims = field(default=(32,), kw_only=True)
    """Hidden widths of the perceptron that computes the weights."""
    normalise: bool = field(default=False, kw_only=True)
    """Whether the weights sum to 1."""
    kind: Literal["attention"] = field(default="attention", kw_only=True, repr=False)


@declaration
class GRU:
    """The state of a GRU after the last item."""

    dim: Count | None = field(default=None, kw_only=True)
    """Width of the state; by default the items' width."""
    kind: Literal["gru"] = field(default="gru", kw_only=True, repr=False)


@declaration
class Transformer:
    """The mean of a transformer's outputs; positions are counted from the last item."""

    dim: Count | None = field(default=None, kw_only=True)
    """Width of the layers and of the output; by default the items' width."""
    heads: Count = field(default=2, kw_only=True)
    """Number of attention heads; divides the width."""
    layers: Count = field(default=1, kw_only=True)
    """Number of layers."""
    kind: Literal["transformer"] = field(default="transformer", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Transformer:
        if self.dim is not None and self.dim % self.heads:
            raise ValueError(f"dim: expected a multiple of {self.heads} heads, found {self.dim}")
        return self


def _form(value: object) -> str:
    return "none" if value is None else "plain" if isinstance(value, str) else "learnt"


Pooling = Annotated[
    Annotated[Literal["mean", "sum", "max"], Tag("plain")]
    | Annotated[Annotated[Attention | GRU | Transformer, Field(discriminator="kind")], Tag("learnt")]
    | Annotated[None, Tag("none")],
    Discriminator(_form),
    OpenTo("pooling"),
]
"""How the items of a sequence become one vector: by a plain rule, by one that is learnt, or not at all."""
