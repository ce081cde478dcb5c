"""Embeddings and experts of each task, and shared embeddings and experts."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from typing_extensions import override

from gatewise.declare.architectures.gated import GatedArchitecture
from gatewise.declare.architectures.owned import OwnExperts, Share, check_experts
from gatewise.declare.base import Dims, declaration
from gatewise.declare.events import Events
from gatewise.declare.features import Sequence
from gatewise.declare.schema import Schema
from gatewise.errors import DeclarationError


@declaration
class STEM(GatedArchitecture):
    """Embeddings and experts per task and shared; tasks do not train each other's (Su et al., AAAI 2024).

    A feature has one embedding per task and a shared one, each of the declared width.
    """

    own_experts: OwnExperts = field(default=2, kw_only=True)
    """Number of experts per task: one number for all tasks, or a list with one number per task."""
    shared_experts: Share = field(default=2, kw_only=True)
    """Number of experts that all tasks share."""
    expert_dims: Dims = field(default=(64, 32), kw_only=True)
    """Hidden widths of every expert."""
    kind: Literal["stem"] = field(default="stem", kw_only=True, repr=False)

    @property
    @override
    def gate_per_task(self) -> bool:
        return True

    @property
    @override
    def gates_read_features(self) -> bool:
        return False

    @override
    def embedding_sets(self, num_tasks: int) -> int:
        return num_tasks + 1

    @property
    @override
    def named_columns(self) -> str:
        return "a set of embeddings a task"

    @override
    def check(self, schema: Schema) -> None:
        super().check(schema)
        for feature in schema.features:
            if isinstance(feature, Sequence) and not isinstance(feature.pooling, str):
                raise DeclarationError(f"feature {feature.name!r}: stem needs pooling mean, sum or max, a vector a set")
            if isinstance(feature, Events):
                raise DeclarationError(
                    f"feature {feature.name!r}: stem has vectors a set, and events are joined to one"
                )
        check_experts(self.own_experts, self.shared_experts, schema)
