"""Experts: what each of them is, where they are not all equal multi-layer perceptrons."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gatewise.declare.base import Dims, declaration
from gatewise.declare.doors import OpenTo

Count = Annotated[int, Field(gt=0)]
Widths = Annotated[Dims, Field(min_length=1)]


@declaration
class MLPExpert:
    """Multi-layer perceptrons."""

    dims: Widths = field(kw_only=True)
    """Hidden widths; the last is the output's."""
    count: Count = field(default=1, kw_only=True)
    """How many such experts."""
    kind: Literal["mlp"] = field(default="mlp", kw_only=True, repr=False)

    @property
    def width(self) -> int:
        """Width of the output."""
        return self.dims[-1]


@declaration
class ResidualExpert:
    """Multi-layer perceptrons whose layers add to what they read (He et al., CVPR 2016)."""

    dims: Widths = field(kw_only=True)
    """Widths of the layers; the last is the output's."""
    count: Count = field(default=1, kw_only=True)
    """How many such experts."""
    kind: Literal["residual"] = field(default="residual", kw_only=True, repr=False)

    @property
    def width(self) -> int:
        """Width of the output."""
        return self.dims[-1]


@declaration
class CrossExpert:
    """Cross networks: products of features (DCN-v2; Wang et al., WWW 2021)."""

    width: Count = field(kw_only=True)
    """Width of the output."""
    layers: Count = field(default=2, kw_only=True)
    """How many crosses; products have one factor more."""
    rank: Count | None = field(default=None, kw_only=True)
    """Of the matrices; none: full."""
    count: Count = field(default=1, kw_only=True)
    """How many such experts."""
    kind: Literal["cross"] = field(default="cross", kw_only=True, repr=False)


@declaration
class ConvolutionalExpert:
    """Filters that slide over the input, for inputs whose numbers have an order."""

    width: Count = field(kw_only=True)
    """Width of the output."""
    channels: Count = field(default=16, kw_only=True)
    """How many filters."""
    kernel: Count = field(default=3, kw_only=True)
    """Width of a filter, odd."""
    places: Count = field(default=4, kw_only=True)
    """Of the mean pooling after them."""
    count: Count = field(default=1, kw_only=True)
    """How many such experts."""
    kind: Literal["convolutional"] = field(default="convolutional", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _length_stays(self) -> ConvolutionalExpert:
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel: expected an odd width, found {self.kernel}")
        return self


@declaration
class RegisteredExpert:
    """What all registered kinds of experts have."""

    count: Count = field(default=1, kw_only=True)
    """How many such experts."""

    @property
    def width(self) -> int | None:
        """Width of the output: only the module knows it."""
        return None


AnyExpert = Annotated[
    MLPExpert | ResidualExpert | CrossExpert | ConvolutionalExpert, Field(discriminator="kind"), OpenTo("expert")
]
