"""Experts that read the facet of a row, such as the price or the quality in a review."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from pydantic import model_validator
from typing_extensions import override

from gatewise.declare.architectures.architecture import Count, check_features
from gatewise.declare.architectures.gated import GatedArchitecture
from gatewise.declare.base import Name, declaration
from gatewise.declare.features import Categorical
from gatewise.declare.schema import Schema
from gatewise.errors import DeclarationError


@declaration
class FacetAwareMoE(GatedArchitecture):
    """Multi-head experts that read a text or another vector, and the facet; one gate for all tasks."""

    facet: Name = field(kw_only=True)
    """The categorical feature of the facet, such as price, service or quality of a review."""
    experts: Count = field(default=8, kw_only=True)
    """Number of experts."""
    heads: Count = field(default=4, kw_only=True)
    """Number of heads per expert; divides ``expert_dim``."""
    expert_dim: Count = field(default=64, kw_only=True)
    """Width of every expert's output."""
    kind: Literal["facet_aware_moe"] = field(default="facet_aware_moe", kw_only=True, repr=False)

    @property
    @override
    def gates_read_features(self) -> bool:
        return False

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> FacetAwareMoE:
        if self.expert_dim % self.heads:
            raise ValueError(f"expert_dim: expected a multiple of {self.heads} heads, found {self.expert_dim}")
        return self

    @property
    @override
    def named_columns(self) -> str:
        return "facet"

    @override
    def check(self, schema: Schema) -> None:
        super().check(schema)
        check_features("facet", [self.facet], schema)
        found = next(feature for feature in schema.features if feature.name == self.facet)
        if not isinstance(found, Categorical):
            raise DeclarationError(f"facet: expected a categorical feature, and {self.facet!r} is {found.kind}")
        if len(schema.features) == 1:
            raise DeclarationError(f"facet: {self.facet!r} is the only feature, and experts need something to judge")
