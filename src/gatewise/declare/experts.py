"""Experts of different kinds, as an alternative to equal multi-layer perceptrons."""

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
    """Widths of the layers; the last one is the output width."""
    count: Count = field(default=1, kw_only=True)
    """Number of experts of this kind."""
    kind: Literal["mlp"] = field(default="mlp", kw_only=True, repr=False)

    @property
    def width(self) -> int:
        """Width of the output."""
        return self.dims[-1]


@declaration
class ResidualExpert:
    """Multi-layer perceptrons with residual layers (He et al., CVPR 2016)."""

    dims: Widths = field(kw_only=True)
    """Widths of the layers; the last one is the output width."""
    count: Count = field(default=1, kw_only=True)
    """Number of experts of this kind."""
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
    """Number of cross layers; the largest products have one factor more."""
    rank: Count | None = field(default=None, kw_only=True)
    """Rank of the weight matrices; None: full rank."""
    count: Count = field(default=1, kw_only=True)
    """Number of experts of this kind."""
    kind: Literal["cross"] = field(default="cross", kw_only=True, repr=False)


@declaration
class ConvolutionalExpert:
    """Convolutions over the input, for inputs whose numbers have an order."""

    width: Count = field(kw_only=True)
    """Width of the output."""
    channels: Count = field(default=16, kw_only=True)
    """Number of filters."""
    kernel: Count = field(default=3, kw_only=True)
    """Width of a filter, an odd number."""
    places: Count = field(default=4, kw_only=True)
    """Number of outputs per filter after the mean pooling."""
    count: Count = field(default=1, kw_only=True)
    """Number of experts of this kind."""
    kind: Literal["convolutional"] = field(default="convolutional", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _length_stays(self) -> ConvolutionalExpert:
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel: expected an odd width, found {self.kernel}")
        return self


@declaration
class RegisteredExpert:
    """Base of all registered experts."""

    count: Count = field(default=1, kw_only=True)
    """Number of experts of this kind."""

    @property
    def width(self) -> int | None:
        """None: the output width is known only when the module is built."""
        return None


AnyExpert = Annotated[
    MLPExpert | ResidualExpert | CrossExpert | ConvolutionalExpert, Field(discriminator="kind"), OpenTo("expert")
]
