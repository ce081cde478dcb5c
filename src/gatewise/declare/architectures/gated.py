"""Options of architectures with gates over experts."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from typing_extensions import override

from gatewise.declare.architectures.architecture import Activation, Architecture, check_features
from gatewise.declare.base import Dims, Rate, declaration
from gatewise.declare.gates import AnyGate, OneOrMoreGates, SoftmaxGate
from gatewise.declare.schema import Schema
from gatewise.errors import DeclarationError


@declaration
class GatedArchitecture(Architecture):
    """Base of architectures whose gates weigh experts."""

    gate: OneOrMoreGates = field(default=SoftmaxGate(), kw_only=True)
    """The kind of the gates, with options; or a list with the kind of each task's gate."""
    gate_dims: Dims = field(default=(), kw_only=True)
    """Hidden widths of each gate; empty: softmax(W x)."""
    gate_activation: Activation | None = field(default=None, kw_only=True)
    """Activation of the gates' hidden layers; None: ``activation``."""
    gate_dropout: Rate = field(default=0.0, kw_only=True)
    """Dropout rate of the gates' hidden units; ``gate: {dropout: ...}`` drops whole experts."""
    expert_activation: Activation | None = field(default=None, kw_only=True)
    """Activation of experts; None: ``activation``."""
    expert_dropout: Rate | None = field(default=None, kw_only=True)
    """Dropout rate of experts; None: ``dropout``."""

    @property
    @override
    def named_columns(self) -> str:
        return "gate.features" if any(gate.features for gate in self.gates) else ""

    @property
    def gates(self) -> tuple[AnyGate, ...]:
        """The kinds of the gates: one for all, or one per task."""
        return self.gate if isinstance(self.gate, tuple) else (self.gate,)

    @property
    def gate_per_task(self) -> bool:
        """Whether there is exactly one gate per task, so that ``gate`` can be a list."""
        return False

    @property
    def gates_read_features(self) -> bool:
        """Whether gates read the input, so that ``gate.features`` can select features."""
        return getattr(self, "levels", 1) == 1

    @property
    def gates_reach_all(self) -> bool:
        """Whether every gate weighs all experts."""
        return True

    @property
    def experts_in_reach(self) -> int | None:
        """Smallest number of experts per gate; None if the number depends on the tasks."""
        experts: Any = getattr(self, "experts", None)
        return experts if isinstance(experts, int) else None

    @override
    def check(self, schema: Schema) -> None:
        super().check(schema)
        kind = getattr(self, "kind", type(self).__name__)
        if isinstance(self.gate, tuple) and not self.gate_per_task:
            raise DeclarationError(
                f"gate: expected one kind for all gates, {kind} has not one gate per task; found a list"
            )
        if isinstance(self.gate, tuple) and len(self.gate) != len(schema.tasks):
            raise DeclarationError(f"gate: expected {len(schema.tasks)} gates, one per task, found {len(self.gate)}")
        for i, gate in enumerate(self.gates):
            self._check_gate(f"gate[{i}]" if isinstance(self.gate, tuple) else "gate", gate, kind, schema)

    def _check_gate(self, option: str, gate: AnyGate, kind: str, schema: Schema) -> None:
        check_features(f"{option}.features", gate.features, schema)
        if gate.features and not self.gates_read_features:
            raise DeclarationError(f"{option}.features: the gates of this {kind} read no features")
        if gate.kind == "dselect_k" and not self.gates_reach_all:
            raise DeclarationError(
                f"{option}: dselect_k chooses among all experts, a gate of {kind} has some; use top_k"
            )
        experts, k = self.experts_in_reach, getattr(gate, "k", None)
        if experts is not None and k is not None and k > experts:
            raise DeclarationError(f"{option}.k: expected at most {experts}, the number of experts, found {k}")
