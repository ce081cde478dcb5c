"""Tasks in a sequence: each task passes information to the next task."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import override

from gatewise.declare.architectures.architecture import Architecture, check_tasks
from gatewise.declare.base import Dims, Names, declaration
from gatewise.declare.schema import Schema
from gatewise.errors import DeclarationError


@declaration
class AITM(Architecture):
    """Every task attends to its own vector and to the vector from the task before (Xi et al., KDD 2021)."""

    order: Annotated[Names, Field(min_length=2)] = field(kw_only=True)
    """Names of all tasks, from the first step, such as a click, to the last step."""
    bottom_dims: Dims = field(default=(64, 32), kw_only=True)
    """Hidden widths of each task's bottom."""
    kind: Literal["aitm"] = field(default="aitm", kw_only=True, repr=False)

    @property
    @override
    def steps(self) -> tuple[str, ...]:
        return tuple(self.ordered or self.order)

    @override
    def check(self, schema: Schema) -> None:
        super().check(schema)
        check_tasks("order", self.order, schema)
        for task in schema.tasks:
            if task.name not in self.order:
                raise DeclarationError(f"order: task {task.name!r} is missing, and every task is a step of it")
