"""Options of architectures whose tasks have experts of their own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field, Tag

from gatewise.declare.base import number_or_list
from gatewise.declare.schema import Schema
from gatewise.errors import DeclarationError

Share = Annotated[int, Field(ge=0)]
OwnExperts = Annotated[
    Annotated[Share, Tag("number")]
    | Annotated[Sequence[Share], AfterValidator(tuple), Field(min_length=1), Tag("list")],
    number_or_list,
]
"""One number of experts for all tasks, or a list with one number per task."""


def check_experts(own: int | Sequence[int], shared: int, schema: Schema) -> None:
    """Refuse lists without exactly one number per task, and tasks without experts."""
    tasks = [task.name for task in schema.tasks]
    counts = [own] * len(tasks) if isinstance(own, int) else list(own)
    if len(counts) != len(tasks):
        raise DeclarationError(f"own_experts: expected one number, or {len(tasks)}, one per task, found {len(counts)}")
    if shared == 0 and 0 in counts:
        name = tasks[counts.index(0)]
        raise DeclarationError(f"own_experts: task {name!r} has none, and shared_experts is 0: it needs an expert")
