"""A separate network per task."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from gatewise.declare.architectures.architecture import Architecture
from gatewise.declare.base import Dims, declaration


@declaration
class SingleTask(Architecture):
    """Every task has its own bottom and tower; tasks share only the embeddings.

    With a schema of one task, this is the usual single-task model: the baseline of multi-task models.
    """

    bottom_dims: Dims = field(default=(64, 32), kw_only=True)
    """Hidden widths of every task's bottom."""
    kind: Literal["single_task"] = field(default="single_task", kw_only=True, repr=False)
