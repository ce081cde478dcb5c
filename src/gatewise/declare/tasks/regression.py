"""Labels that are numbers."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gatewise.declare.base import declaration
from gatewise.declare.tasks.label import Label, refuse_options_of_others


@declaration
class Regression(Label):
    """A numeric label; it is standardised inside, the prediction is in the label's own unit.

    Example:
        >>> Regression("dwell", loss="quantile", quantile=0.9).quantile
        0.9
    """

    loss: Literal["mse", "mae", "huber", "quantile"] = field(default="mse", kw_only=True)
    """What is learnt: the mean, by squared errors; the median, by absolute ones; what is between them and minds no
    outlier; or a quantile, by the pinball loss."""
    delta: Annotated[float, Field(gt=0)] = field(default=1.0, kw_only=True)
    """Of ``huber``: errors above so many standard deviations of the label count as absolute ones."""
    quantile: Annotated[float, Field(gt=0, lt=1)] = field(default=0.5, kw_only=True)
    """Of ``quantile``: the share of labels that is to lie below the prediction."""
    kind: Literal["regression"] = field(default="regression", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _consistent(self) -> Regression:
        refuse_options_of_others(self, {"delta": "huber", "quantile": "quantile"})
        return self
