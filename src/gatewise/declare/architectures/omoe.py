"""Experts with one gate for all tasks."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from gatewise.declare.architectures.architecture import Count
from gatewise.declare.architectures.gated import GatedArchitecture
from gatewise.declare.base import Dims, declaration


@declaration
class OMoE(GatedArchitecture):
    """Experts mixed by one gate for all tasks (one-gate mixture-of-experts; Ma et al., KDD 2018)."""

    experts: Count = field(default=8, kw_only=True)
    """How many experts."""
    expert_dims: Dims = field(default=(64, 32), kw_only=True)
    """Hidden widths of every expert."""
    levels: Count = field(default=1, kw_only=True)
    """How many mixtures follow one another; the next one reads what all tasks got."""
    kind: Literal["omoe"] = field(default="omoe", kw_only=True, repr=False)
