"""Labels that are 0 for most, and spread over orders of magnitude for the rest."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from typing_extensions import override

from gatewise.declare.base import declaration
from gatewise.declare.tasks.label import Label
from gatewise.names import positive_name


@declaration
class LifetimeValue(Label):
    """A value of 0 or more that most never bring, such as revenue: whether there is one, and how much.

    The expected value is predicted, and the probability that there is one: ``revenue``, ``revenue[>0]``.
    """

    kind: Literal["lifetime_value"] = field(default="lifetime_value", kw_only=True, repr=False)

    @property
    @override
    def outputs(self) -> tuple[str, ...]:
        return self.name, positive_name(self.name)
