"""Every task on its own."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from gatewise.declare.architectures.architecture import Architecture
from gatewise.declare.base import Dims, declaration


@declaration
class SingleTask(Architecture):
    """Every task has its own bottom and tower; only the embeddings are common.

    With a schema of one task it is the ordinary single-task model, the control that sharing has to beat.
    """

    bottom_dims: Dims = field(default=(64, 32), kw_only=True)
    """Hidden widths of every task's bottom."""
    kind: Literal["single_task"] = field(default="single_task", kw_only=True, repr=False)
