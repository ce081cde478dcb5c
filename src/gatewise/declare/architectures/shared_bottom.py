"""One bottom for all tasks."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from gatewise.declare.architectures.architecture import Architecture
from gatewise.declare.base import Dims, declaration


@declaration
class SharedBottom(Architecture):
    """One bottom for all tasks (hard parameter sharing; Caruana, 1997)."""

    bottom_dims: Dims = field(default=(64, 32), kw_only=True)
    """Hidden widths of the bottom."""
    kind: Literal["shared_bottom"] = field(default="shared_bottom", kw_only=True, repr=False)
