"""Experts of each task and shared ones, in one level."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from gatewise.declare.architectures.architecture import Architecture
from gatewise.declare.architectures.owned import OwnExperts, Share, check_experts
from gatewise.declare.base import Dims, declaration
from gatewise.declare.gates import AnyGate, SoftmaxGate
from gatewise.declare.schema import Schema


@declaration
class CGC(Architecture):
    """A gate a task over its own experts and shared ones (customized gate control; Tang et al., RecSys 2020)."""

    own_experts: OwnExperts = field(default=2, kw_only=True)
    """How many experts each task has of its own: one number, or one a task."""
    shared_experts: Share = field(default=2, kw_only=True)
    """How many experts are common to all tasks."""
    expert_dims: Dims = field(default=(64, 32), kw_only=True)
    """Hidden widths of every expert."""
    gate: AnyGate = field(default=SoftmaxGate(), kw_only=True)
    """How gates weigh the experts."""
    gate_dims: Dims = field(default=(), kw_only=True)
    """Hidden widths of every gate; none: softmax(W z)."""
    kind: Literal["cgc"] = field(default="cgc", kw_only=True, repr=False)

    def check(self, schema: Schema) -> None:  # noqa: D102
        super().check(schema)
        check_experts(self.own_experts, self.shared_experts, schema)
