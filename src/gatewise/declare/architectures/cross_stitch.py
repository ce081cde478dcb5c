"""Every task a network of its own, stitched together after every layer."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field

from gatewise.declare.architectures.architecture import Architecture
from gatewise.declare.base import Dims, declaration


@declaration
class CrossStitch(Architecture):
    """Networks of all tasks, whose activations a learnt matrix mixes after every layer (Misra et al., CVPR 2016)."""

    layer_dims: Annotated[Dims, Field(min_length=1)] = field(default=(64, 32), kw_only=True)
    """Widths of the layers, of every task."""
    self_weight: Annotated[float, Field(gt=0, le=1)] = field(default=0.9, kw_only=True)
    """What a task takes of its own activations at first; the others share the rest."""
    kind: Literal["cross_stitch"] = field(default="cross_stitch", kw_only=True, repr=False)
