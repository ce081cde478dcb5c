"""Experts with one gate a task."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from gatewise.declare.architectures.architecture import Count
from gatewise.declare.architectures.gated import GatedArchitecture
from gatewise.declare.base import Dims, declaration


@declaration
class MMoE(GatedArchitecture):
    """Experts mixed by one gate a task (multi-gate mixture-of-experts; Ma et al., KDD 2018).

    Example:
        >>> MMoE(experts=4, expert_dims=[16]).expert_dims
        (16,)
    """

    experts: Count = field(default=8, kw_only=True)
    """How many experts all tasks share."""
    expert_dims: Dims = field(default=(64, 32), kw_only=True)
    """Hidden widths of every expert."""
    levels: Count = field(default=1, kw_only=True)
    """How many mixtures follow one another; the next one reads what all tasks got."""
    kind: Literal["mmoe"] = field(default="mmoe", kw_only=True, repr=False)
