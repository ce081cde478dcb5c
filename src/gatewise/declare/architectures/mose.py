"""Experts that read a sequence of behaviours."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from pydantic import model_validator
from typing_extensions import override

from gatewise.declare.architectures.architecture import Count, unpooled_sequences
from gatewise.declare.architectures.gated import GatedArchitecture
from gatewise.declare.base import Name, declaration
from gatewise.declare.schema import Schema
from gatewise.errors import DeclarationError, did_you_mean, shown


@declaration
class MoSE(GatedArchitecture):
    """Experts that read the behaviours in their order (mixture of sequential experts; Qin et al., KDD 2020).

    The schema needs a ``Sequence`` with ``pooling=None``.
    """

    sequence: Name | None = field(default=None, kw_only=True)
    """Name of the sequence; needed if several sequences have no pooling."""
    cell: Literal["lstm", "gru", "transformer"] = field(default="lstm", kw_only=True)
    """The kind of network in each expert."""
    experts: Count = field(default=4, kw_only=True)
    """Number of experts."""
    expert_dim: Count = field(default=32, kw_only=True)
    """Width of every expert's output."""
    heads: Count = field(default=2, kw_only=True)
    """Number of attention heads of a transformer."""
    layers: Count = field(default=1, kw_only=True)
    """Number of layers of a transformer."""
    kind: Literal["mose"] = field(default="mose", kw_only=True, repr=False)

    @property
    @override
    def gate_per_task(self) -> bool:
        return True

    @property
    @override
    def reads_sequences(self) -> bool:
        return True

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> MoSE:
        if self.cell == "transformer" and self.expert_dim % self.heads:
            raise ValueError(f"expert_dim: expected a multiple of {self.heads} heads, found {self.expert_dim}")
        return self

    @override
    def check(self, schema: Schema) -> None:
        super().check(schema)
        found = unpooled_sequences(schema)
        if not found:
            raise DeclarationError("sequence: mose reads a Sequence feature with pooling None, and the schema has none")
        if self.sequence is None and len(found) > 1:
            raise DeclarationError(f"sequence: several have pooling None: say which of {shown(found)}")
        if self.sequence is not None and self.sequence not in found:
            hint = did_you_mean(self.sequence, found)
            raise DeclarationError(
                f"sequence: no unpooled sequence {self.sequence!r} (there are: {shown(found)}){hint}"
            )
