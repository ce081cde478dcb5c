"""Options of architectures with gates over experts."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from typing_extensions import override

from gatewise.declare.architectures.architecture import Activation, Architecture, check_features
from gatewise.declare.base import Dims, Rate, declaration
from gatewise.declare.gates import AnyGate, SoftmaxGate
from gatewise.declare.schema import Schema
from gatewise.errors import DeclarationError


@declaration
class GatedArchitecture(Architecture):
    """Base of architectures whose gates weigh experts."""

    gate: AnyGate = field(default=SoftmaxGate(), kw_only=True)
    """The kind of the gates, with options."""
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
        return "gate.features" if self.gate.features else ""

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
        check_features("gate.features", self.gate.features, schema)
        if self.gate.features and not self.gates_read_features:
            raise DeclarationError(f"gate.features: the gates of this {kind} read no features")
        if self.gate.kind == "dselect_k" and not self.gates_reach_all:
            raise DeclarationError(f"gate: dselect_k chooses among all experts, a gate of {kind} has some; use top_k")
        experts, k = self.experts_in_reach, getattr(self.gate, "k", None)
        if experts is not None and k is not None and k > experts:
            raise DeclarationError(f"gate.k: expected at most {experts}, the number of experts, found {k}")
