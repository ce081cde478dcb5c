"""Balancing: how much each task's loss counts at each step."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field

from gatewise.declare.base import declaration, shorthand


@declaration
class Static:
    """Every task counts by its declared weight alone."""

    kind: Literal["static"] = field(default="static", kw_only=True, repr=False)


@declaration
class Uncertainty:
    """Weights learnt as the tasks' homoscedastic uncertainty (Kendall, Gal and Cipolla, CVPR 2018)."""

    initial_log_variance: float = field(default=0.0, kw_only=True)
    """Where every task's s = log(sigma^2) starts; its loss counts exp(-s), half of that for regression."""
    kind: Literal["uncertainty"] = field(default="uncertainty", kw_only=True, repr=False)


AnyBalance = Annotated[Annotated[Static | Uncertainty, Field(discriminator="kind")], shorthand]
