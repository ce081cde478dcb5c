"""One network per task, with activations mixed after each layer."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field

from gatewise.declare.architectures.architecture import Architecture
from gatewise.declare.base import Dims, declaration


@declaration
class CrossStitch(Architecture):
    """One network per task; a learnt matrix mixes the tasks' activations after each layer (Misra et al., CVPR 2016)."""

    layer_dims: Annotated[Dims, Field(min_length=1)] = field(default=(64, 32), kw_only=True)
    """Widths of each task's layers."""
    self_weight: Annotated[float, Field(gt=0, le=1)] = field(default=0.9, kw_only=True)
    """Initial weight of a task's own activations; the other tasks' weights share the rest."""
    kind: Literal["cross_stitch"] = field(default="cross_stitch", kw_only=True, repr=False)
