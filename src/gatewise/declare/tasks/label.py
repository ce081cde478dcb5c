"""Base of the declarations of all tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, fields
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from gatewise.declare.base import Name, Names, declaration
from gatewise.declare.delays import Delay
from gatewise.declare.doors import OpenTo, registered
from gatewise.errors import did_you_mean, shown

Weight = Annotated[float, Field(ge=0)]
THRESHOLDED = ("accuracy", "precision", "recall", "f1")
"""Metrics of yes or no at a threshold, such as ``f1`` or ``f1@0.3``."""
RELATIVE = ("mse", "mape")
"""Metrics of numbers beyond those of every kind."""


def _by_name(value: Any, others: ValidatorFunctionWrapHandler) -> Any:
    """Keep the name of a metric of ours; whether it fits the kind of task is checked there."""
    ours = isinstance(value, str) and value not in registered("metric")
    return value if ours else others(value)


AnyMetric = Annotated[Any, OpenTo("metric"), WrapValidator(_by_name)]


@declaration
class Label:
    """Options of all tasks: the label's column, the sample of rows, and weights."""

    further_metrics: ClassVar[tuple[str, ...]] = ()
    """Names of metrics of the kind that are computed where ``metrics`` names them."""

    name: Name
    """The task's name, also the name of the predicted column."""
    weight: Weight = 1.0
    """Factor of the task's loss, in addition to the balancing rule's weight."""
    column: Name | None = None
    """The label's column, if it has another name than the task."""
    weight_column: Name | None = None
    """A column of non-negative row weights for this task's loss; metrics ignore these weights."""
    metrics: Annotated[Sequence[AnyMetric], AfterValidator(tuple)] = field(default=(), kw_only=True)
    """Further metrics of the task: names such as ``f1``, ``accuracy@0.3`` or ``mape``, and registered metrics."""
    reads: Names = field(default=(), kw_only=True)
    """Names of tasks whose towers this task's tower reads beside its own hidden vector (deep Bayesian multi-task
    learning: a graph of tasks without circles); empty: towers do not read each other."""
    within: Name | None = field(default=None, kw_only=True)
    """Name of a binary task: this task is trained and evaluated only in rows in which that task's label is 1."""
    delay: Delay | None = field(default=None, kw_only=True)
    """The age from which a row's label is final, such as ``"3d"`` or ``"12h"``: in younger rows the label counts as
    missing. Age is measured by the column ``time``, up to the newest row of the table, or to the moment ``now``."""
    time: Name | None = field(default=None, kw_only=True)
    """The column of the rows' times; needed by ``delay``."""

    @model_validator(mode="after")
    def _delay_and_time(self) -> Any:
        if self.delay is not None and self.time is None:
            raise ValueError(f"delay {self.delay!r} is measured from a row's time: give 'time', the column of times")
        if self.time is not None and self.delay is None:
            raise ValueError(f"time {self.time!r} belongs to a delay: give 'delay', such as '3d'")
        return self

    @model_validator(mode="after")
    def _metrics_of_the_kind(self) -> Any:
        for name in self.metrics:
            if isinstance(name, str) and not _is_metric(name, self.further_metrics):
                known = [*self.further_metrics, *registered("metric")]
                hint = did_you_mean(name, known)
                raise ValueError(f"metrics: expected names of further metrics ({shown(known)}), found {name!r}{hint}")
        return self

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

    @property
    def columns_of_labels(self) -> tuple[str, ...]:
        """Columns that the task reads wherever it reads labels, its own first."""
        return (self.column or self.name, *([self.time] if self.time else []))


def _is_metric(name: str, known: Sequence[str]) -> bool:
    """Whether a name is one of the known metrics, if it can have a threshold maybe with one, such as ``f1@0.3``."""
    kind, at, threshold = name.partition("@")
    if kind not in known or not at:
        return name in known
    try:
        return kind in THRESHOLDED and 0 < float(threshold) < 1
    except ValueError:
        return False


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
