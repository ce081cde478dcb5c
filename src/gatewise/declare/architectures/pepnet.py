"""Embeddings scaled by the scenario, and each task's layers scaled by user and item."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from gatewise.declare.architectures.architecture import Architecture, check_features
from gatewise.declare.base import Dims, Names, declaration
from gatewise.declare.schema import Schema


@declaration
class PEPNet(Architecture):
    """Embeddings scaled by scenario features, and each task's layers by user and item (Chang et al., KDD 2023)."""

    scenario: Annotated[Names, Field(min_length=1)] = field(kw_only=True)
    """Names of the features of a row's scenario, such as tab or app."""
    priors: Annotated[Names, Field(min_length=1)] = field(kw_only=True)
    """Names of the features that scale the layers, such as user and item."""
    layer_dims: Annotated[Dims, Field(min_length=1)] = field(default=(64, 32), kw_only=True)
    """Widths of each task's layers."""
    gate_dims: Dims = field(default=(32,), kw_only=True)
    """Hidden widths of every gate unit."""
    kind: Literal["pepnet"] = field(default="pepnet", kw_only=True, repr=False)

    @property
    @override
    def named_columns(self) -> str:
        return "scenario"

    @override
    def check(self, schema: Schema) -> None:
        super().check(schema)
        check_features("scenario", self.scenario, schema)
        check_features("priors", self.priors, schema)
