"""Rules that look at the sizes of the tasks' gradients."""

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
    """Gradients of one size, larger for tasks that lag behind (Chen et al., ICML 2018)."""

    alpha: Annotated[float, Field(ge=0)] = field(default=1.5, kw_only=True)
    """How strongly tasks that lag behind are helped; 0: equal sizes."""
    lr: Annotated[float, Field(gt=0)] = field(default=0.025, kw_only=True)
    """Learning rate of the weights."""
    at: Site = field(default="last_shared_layer", kw_only=True)
    """Where gradients are taken: at the shared ``representation``, in the ``experts``, or in their last layer."""
    kind: Literal["gradnorm"] = field(default="gradnorm", kw_only=True, repr=False)


@declaration
class MetaBalance(Balance):
    """Auxiliary tasks' gradients near the size of the target task's (He et al., WWW 2022)."""

    target: Name | None = field(default=None, kw_only=True)
    """The task that the others are to help; the first by default."""
    relax: Annotated[float, Field(ge=0, le=1)] = field(default=0.7, kw_only=True)
    """How near the sizes are brought; 0: no balancing, 1: equal sizes."""
    beta: Rate = field(default=0.9, kw_only=True)
    """Memory of the moving average of sizes."""
    strategy: Literal["down", "up", "both"] = field(default="both", kw_only=True)
    """``down``: only gradients larger than the target's are scaled, ``up``: only smaller ones."""
    at: Site = field(default="representation", kw_only=True)
    """Where gradients are taken: at the shared ``representation``, in the ``experts``, or in their last layer."""
    kind: Literal["metabalance"] = field(default="metabalance", kw_only=True, repr=False)

    @property
    @override
    def named_tasks(self) -> tuple[str, ...]:
        """The task whose gradient the others are brought to."""
        return () if self.target is None else (self.target,)


@declaration
class DBMTL(Balance):
    """Logarithms of losses, and gradients as large as the largest (DB-MTL: Lin et al., 2023)."""

    beta: Rate = field(default=0.9, kw_only=True)
    """Memory of the moving average of sizes; 0: those of the step alone."""
    at: Site = field(default="representation", kw_only=True)
    """Where gradients are taken: at the shared ``representation``, in the ``experts``, or in their last layer."""
    kind: Literal["db_mtl"] = field(default="db_mtl", kw_only=True, repr=False)
