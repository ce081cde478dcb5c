"""Experts of each task and shared experts, in several levels."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from pydantic import model_validator
from typing_extensions import override

from gatewise.declare.architectures.architecture import Count
from gatewise.declare.architectures.gated import GatedArchitecture
from gatewise.declare.architectures.owned import OwnExperts, Share, check_experts
from gatewise.declare.base import declaration
from gatewise.declare.by_name import DimsByLevel
from gatewise.declare.schema import Schema


@declaration
class PLE(GatedArchitecture):
    """Experts of each task and shared experts, in levels (progressive layered extraction; Tang et al., RecSys 2020)."""

    own_experts: OwnExperts = field(default=2, kw_only=True)
    """Number of experts per task: one number for all tasks, or a list with one number per task."""
    shared_experts: Share = field(default=2, kw_only=True)
    """Number of experts that all tasks share."""
    expert_dims: DimsByLevel = field(default=(64, 32), kw_only=True)
    """Hidden widths of every expert; or a list with the widths of each level's experts."""
    levels: Count = field(default=2, kw_only=True)
    """Number of levels."""
    kind: Literal["ple"] = field(default="ple", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _dims_of_every_level(self) -> PLE:
        shapes = [dims for dims in self.expert_dims if not isinstance(dims, int)]
        if shapes and len(shapes) != self.levels:
            raise ValueError(f"expert_dims: expected {self.levels} lists of widths, one per level, found {len(shapes)}")
        return self

    @property
    @override
    def experts_in_reach(self) -> int:
        own = self.own_experts
        return self.shared_experts + (own if isinstance(own, int) else min(own))

    @property
    @override
    def gates_reach_all(self) -> bool:
        return False

    @override
    def check(self, schema: Schema) -> None:
        super().check(schema)
        check_experts(self.own_experts, self.shared_experts, schema)
