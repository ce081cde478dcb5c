"""The shallow tower beside the model, for position bias."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

from pydantic import Field

from gatewise.declare.base import Dims, Names, Rate, declaration


@declaration
class SideTower:
    """Features that explain a label and not the taste, such as the position; they add to the score in training alone.

    When predicting and evaluating they count as missing; their columns need not be there (Zhao et al., RecSys 2019).
    """

    features: Annotated[Names, Field(min_length=1)]
    """The names of the features; nothing else of the model reads them."""
    dims: Dims = field(default=(), kw_only=True)
    """Hidden widths; none: linear."""
    dropout: Rate = field(default=0.1, kw_only=True)
    """Share of the rows whose side features count as missing in training."""
