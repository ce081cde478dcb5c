"""What all kinds of tasks have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, fields
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from gatewise.declare.base import Name, declaration
from gatewise.declare.doors import OpenTo

Weight = Annotated[float, Field(ge=0)]
AnyMetric = Annotated[Any, OpenTo("metric")]


@declaration
class Label:
    """What all kinds of tasks have: a label's column, what counts of it, and how much."""

    name: Name
    """The task's name, and its column in the predictions."""
    weight: Weight = 1.0
    """Multiplies the task's loss, on top of what the balancing rule decides."""
    column: Name | None = None
    """The label's column, where it is not called like the task."""
    weight_column: Name | None = None
    """A column of non-negative row weights for this task's loss; metrics count every labelled row once."""
    metrics: Annotated[Sequence[AnyMetric], AfterValidator(tuple)] = field(default=(), kw_only=True)
    """Registered metrics that judge the task beside those of its kind."""
    within: Name | None = field(default=None, kw_only=True)
    """A binary task: this one is learnt and judged in the rows alone where that one's label is 1."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what is predicted."""
        return (self.name,)

    @property
    def learns_columns(self) -> bool:
        """Whether the names of the predicted columns are learnt from the training table."""
        return False

    @property
    def known_columns(self) -> tuple[str, ...]:
        """Columns that say something about the label before it is known, and are read when predicting too."""
        return ()


def refuse_options_of_others(declared: Any, owners: Mapping[str, str]) -> None:
    """Refuse options that belong to another loss than the declared one.

    Args:
        declared: what has a ``loss`` and the options.
        owners: the loss that each option belongs to.

    Raises:
        ValueError: names the option and its loss.
    """
    unset = {option.name: option.default for option in fields(declared)}
    for option, loss in owners.items():
        if declared.loss != loss and getattr(declared, option) != unset[option]:
            raise ValueError(f"{option} belongs to loss {loss!r}, and the loss is {declared.loss!r}")
