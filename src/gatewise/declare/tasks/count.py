"""Labels that are counts or sums."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gatewise.declare.base import declaration
from gatewise.declare.tasks.label import Label, refuse_options_of_others


@declaration
class Count(Label):
    """A label of 0 or more; the prediction is the expected value.

    Example:
        >>> Count("spent", loss="tweedie", power=1.3).power
        1.3
    """

    loss: Literal["poisson", "tweedie"] = field(default="poisson", kw_only=True)
    """``poisson`` for counts, ``tweedie`` for real numbers with many zeros, such as amounts."""
    power: Annotated[float, Field(gt=1, lt=2)] = field(default=1.5, kw_only=True)
    """Of ``tweedie``: exponent of the mean in the variance. Near 1: sums of many small parts; near 2: of few large
    parts."""
    kind: Literal["count"] = field(default="count", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _consistent(self) -> Count:
        refuse_options_of_others(self, {"power": "tweedie"})
        return self
