"""Base of the declarations of all tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, fields
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from gatewise.declare.base import Name, Names, declaration
from gatewise.declare.doors import OpenTo

Weight = Annotated[float, Field(ge=0)]
AnyMetric = Annotated[Any, OpenTo("metric")]


@declaration
class Label:
    """Options of all tasks: the label's column, the sample of rows, and weights."""

    name: Name
    """The task's name, also the name of the predicted column."""
    weight: Weight = 1.0
    """Factor of the task's loss, in addition to the balancing rule's weight."""
    column: Name | None = None
    """The label's column, if it has another name than the task."""
    weight_column: Name | None = None
    """A column of non-negative row weights for this task's loss; metrics ignore these weights."""
    metrics: Annotated[Sequence[AnyMetric], AfterValidator(tuple)] = field(default=(), kw_only=True)
    """Registered metrics of the task, in addition to its kind's metrics."""
    reads: Names = field(default=(), kw_only=True)
    """Names of tasks whose towers this task's tower reads beside its own hidden vector (deep Bayesian multi-task
    learning: a graph of tasks without circles); empty: towers do not read each other."""
    within: Name | None = field(default=None, kw_only=True)
    """Name of a binary task: this task is trained and evaluated only in rows in which that task's label is 1."""

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the predictions."""
        return (self.name,)

    @property
    def learns_columns(self) -> bool:
        """Whether the names of the predicted columns are learnt from the training table."""
        return False

    @property
    def known_columns(self) -> tuple[str, ...]:
        """Columns that the task reads for predictions too, such as a limit that is known before the label."""
        return ()


def refuse_options_of_others(declared: Any, owners: Mapping[str, str]) -> None:
    """Refuse options that belong to another loss than the declared loss.

    Args:
        declared: a declaration with a ``loss``.
        owners: the loss of each option, by option.

    Raises:
        ValueError: names the option and its loss.
    """
    unset = {option.name: option.default for option in fields(declared)}
    for option, loss in owners.items():
        if declared.loss != loss and getattr(declared, option) != unset[option]:
            raise ValueError(f"{option} belongs to loss {loss!r}, and the loss is {declared.loss!r}")
