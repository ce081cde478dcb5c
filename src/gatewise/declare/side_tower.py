"""The shallow tower for bias features, used in training only."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

from pydantic import Field

from gatewise.declare.base import Dims, Names, Rate, declaration


@declaration
class SideTower:
    """Tower for bias features such as the display position; adds to the logits in training only.

    In prediction and evaluation its features count as missing, and tables need no columns for them (Zhao et al.,
    RecSys 2019).
    """

    features: Annotated[Names, Field(min_length=1)]
    """Names of the features; no other part of the model reads them."""
    dims: Dims = field(default=(), kw_only=True)
    """Hidden widths; empty: a linear tower."""
    dropout: Rate = field(default=0.1, kw_only=True)
    """Share of the rows whose side features count as missing in training."""
