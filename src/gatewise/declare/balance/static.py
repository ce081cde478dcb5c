"""Weights that stay as they are: given, or found by a search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field

from gatewise.declare.base import Name, declaration

Weight = Annotated[float, Field(ge=0)]


@declaration
class Static:
    """Every task counts by its declared weight, times a weight given here."""

    weights: Mapping[Name, Weight] | None = field(default=None, kw_only=True)
    """A weight for tasks by name; 1 for the others."""
    kind: Literal["static"] = field(default="static", kw_only=True, repr=False)


@declaration
class TunedStatic:
    """Static weights that a small search finds: short trainings, judged by the monitored score on the validation table.

    Equal weights are the first candidate; the others are drawn so that they cover the range evenly. The run's
    ``balance.json`` lists all with their scores.
    """

    candidates: Annotated[int, Field(ge=2)] = field(default=8, kw_only=True)
    """How many sets of weights are tried."""
    epochs: Annotated[int, Field(gt=0)] = field(default=1, kw_only=True)
    """Epochs that each is trained; its best one counts."""
    spread: Annotated[float, Field(gt=1)] = field(default=10.0, kw_only=True)
    """Largest ratio between the weights of two tasks."""
    kind: Literal["tuned_static"] = field(default="tuned_static", kw_only=True, repr=False)
