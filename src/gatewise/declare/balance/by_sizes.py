"""Rules that use the norms of the tasks' gradients."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from gatewise.declare.balance.balance import Balance
from gatewise.declare.base import Name, Rate, declaration

Site = Literal["representation", "experts", "last_shared_layer"]
"""Where tasks' gradients are taken."""


@declaration
class GradNorm(Balance):
    """Gradients of equal norm, larger for tasks that train more slowly (Chen et al., ICML 2018)."""

    alpha: Annotated[float, Field(ge=0)] = field(default=1.5, kw_only=True)
    """Strength of the larger gradients for slower tasks; 0: equal norms."""
    lr: Annotated[float, Field(gt=0)] = field(default=0.025, kw_only=True)
    """Learning rate of the weights."""
    at: Site = field(default="last_shared_layer", kw_only=True)
    """Where gradients are taken: at the shared ``representation``, in the ``experts``, or in their last layer."""
    kind: Literal["gradnorm"] = field(default="gradnorm", kw_only=True, repr=False)


@declaration
class MetaBalance(Balance):
    """Auxiliary tasks' gradients scaled towards the norm of the target task's gradient (He et al., WWW 2022)."""

    target: Name | None = field(default=None, kw_only=True)
    """The task that the other tasks support; by default the first task."""
    relax: Annotated[float, Field(ge=0, le=1)] = field(default=0.7, kw_only=True)
    """Strength of the scaling; 0: no balancing, 1: equal norms."""
    beta: Rate = field(default=0.9, kw_only=True)
    """Decay of the moving average of norms."""
    strategy: Literal["down", "up", "both"] = field(default="both", kw_only=True)
    """``down``: scale only gradients larger than the target's, ``up``: only smaller gradients, ``both``: all."""
    at: Site = field(default="representation", kw_only=True)
    """Where gradients are taken: at the shared ``representation``, in the ``experts``, or in their last layer."""
    kind: Literal["metabalance"] = field(default="metabalance", kw_only=True, repr=False)

    @property
    @override
    def named_tasks(self) -> tuple[str, ...]:
        """The target task, if it is given."""
        return () if self.target is None else (self.target,)


@declaration
class DBMTLBalance(Balance):
    """Logarithms of losses, and gradients scaled to the largest gradient's norm (DB-MTL: Lin et al., 2023)."""

    beta: Rate = field(default=0.9, kw_only=True)
    """Decay of the moving average of norms; 0: only the norms of the current step."""
    at: Site = field(default="representation", kw_only=True)
    """Where gradients are taken: at the shared ``representation``, in the ``experts``, or in their last layer."""
    kind: Literal["db_mtl"] = field(default="db_mtl", kw_only=True, repr=False)
