"""Labels that are mostly 0, with the other values spread over orders of magnitude."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from pydantic import model_validator
from typing_extensions import override

from gatewise.declare.base import Name, declaration
from gatewise.declare.tasks.label import Label
from gatewise.names import given_name, positive_name


@declaration
class LifetimeValue(Label):
    """A value that is 0 in most rows, such as revenue: the probability and the amount of a value above 0.

    The predictions are the expected value and the probability of a value above 0: ``revenue``, ``revenue[>0]``.

    With ``after`` the value follows a step of a funnel, such as revenue after a purchase: the task learns the value in
    rows that took the step, which ``revenue_given_purchase`` predicts; ``revenue`` and ``revenue[>0]`` are that times
    the predicted probability of all steps.
    """

    after: Name | None = field(default=None, kw_only=True)
    """The step before: a binary task whose label is 1 in all rows in which this value is above 0."""
    kind: Literal["lifetime_value"] = field(default="lifetime_value", kw_only=True, repr=False)

    @property
    @override
    def outputs(self) -> tuple[str, ...]:
        given = () if self.after is None else (given_name(self.name, self.after),)
        return self.name, positive_name(self.name), *given

    @model_validator(mode="after")
    def _one_sample(self) -> LifetimeValue:
        if self.after is not None and self.within is not None:
            raise ValueError("within does not go with 'after'")
        return self
