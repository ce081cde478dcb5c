"""Labels that are mostly 0, with the other values spread over orders of magnitude."""

from __future__ import annotations

from dataclasses import field
from typing import Literal

from typing_extensions import override

from gatewise.declare.base import declaration
from gatewise.declare.tasks.label import Label
from gatewise.names import positive_name


@declaration
class LifetimeValue(Label):
    """A value that is 0 in most rows, such as revenue: the probability and the amount of a value above 0.

    The predictions are the expected value and the probability of a value above 0: ``revenue``, ``revenue[>0]``.
    """

    kind: Literal["lifetime_value"] = field(default="lifetime_value", kw_only=True, repr=False)

    @property
    @override
    def outputs(self) -> tuple[str, ...]:
        return self.name, positive_name(self.name)
