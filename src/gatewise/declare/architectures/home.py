"""Experts of groups of tasks, and of the tasks in each group."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from typing_extensions import override

from gatewise.declare.architectures.architecture import Activation, Count, Norm, check_tasks
from gatewise.declare.architectures.gated import GatedArchitecture
from gatewise.declare.base import Dims, declaration
from gatewise.declare.by_name import TaskGroups
from gatewise.declare.schema import Schema
from gatewise.errors import DeclarationError


@declaration
class HoME(GatedArchitecture):
    """Group experts, then task experts (hierarchy of multi-gate experts; Wang et al., KDD 2025).

    Example:
        >>> HoME(groups={"watch": ["click", "long_view"], "interact": ["like"]}).groups["interact"]
        ('like',)
    """

    groups: TaskGroups = field(kw_only=True)
    """Names of each group's tasks, by group name; each task is in one group."""
    experts: Count = field(default=2, kw_only=True)
    """Number of experts per group, per task, and shared by all, in each level."""
    expert_dims: Dims = field(default=(64, 32), kw_only=True)
    """Hidden widths of every expert."""
    rank: Count = field(default=8, kw_only=True)
    """Rank of the gates by which experts weigh their input features."""
    activation: Activation = field(default="silu", kw_only=True)
    """Activation after each hidden layer of experts, gates and towers."""
    norm: Norm = field(default="batch", kw_only=True)
    """Normalisation between a hidden layer and its activation."""
    kind: Literal["home"] = field(default="home", kw_only=True, repr=False)

    @property
    @override
    def gates_read_features(self) -> bool:
        return False

    @property
    @override
    def experts_in_reach(self) -> int:
        # a group's gate in the first level: the group's experts and the shared experts
        return 2 * self.experts

    @property
    @override
    def gates_reach_all(self) -> bool:
        return False

    @override
    def check(self, schema: Schema) -> None:
        super().check(schema)
        grouped = [task for tasks in self.groups.values() for task in tasks]
        check_tasks("groups", grouped, schema)
        for task in schema.tasks:
            if task.name not in grouped:
                raise DeclarationError(f"groups: task {task.name!r} is in no group, and every task is in one")
