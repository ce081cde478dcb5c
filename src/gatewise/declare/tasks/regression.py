"""Labels that are numbers."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from gatewise.declare.base import declaration
from gatewise.declare.tasks.label import Label


@declaration
class Regression(Label):
    """A numeric label; it is standardised inside, the prediction is in the label's own unit."""

    kind: Literal["regression"] = field(default="regression", kw_only=True, repr=False)
