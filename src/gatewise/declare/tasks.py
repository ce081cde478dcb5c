"""Tasks: what the model predicts. A null label takes its row out of that task's sample, and of no other's."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field

from gatewise.declare.base import Name, declaration

Weight = Annotated[float, Field(ge=0)]


@declaration
class Binary:
    """A label that is 0 or 1 (or false, true); the prediction is the probability of 1."""

    name: Name
    """The task's name, and its column in the predictions."""
    weight: Weight = 1.0
    """Multiplies the task's loss, on top of what the balancing rule decides."""
    column: Name | None = None
    """The label's column, where it is not called like the task."""
    weight_column: Name | None = None
    """A column of non-negative row weights for this task's loss; metrics count every labelled row once."""
    kind: Literal["binary"] = field(default="binary", kw_only=True, repr=False)


@declaration
class Regression:
    """A numeric label; it is standardised inside, the prediction is in the label's own unit."""

    name: Name
    """The task's name, and its column in the predictions."""
    weight: Weight = 1.0
    """Multiplies the task's loss, on top of what the balancing rule decides."""
    column: Name | None = None
    """The label's column, where it is not called like the task."""
    weight_column: Name | None = None
    """A column of non-negative row weights for this task's loss; metrics count every labelled row once."""
    kind: Literal["regression"] = field(default="regression", kw_only=True, repr=False)


Task = Annotated[Binary | Regression, Field(discriminator="kind")]
