"""Labels that are numbers."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from gatewise.declare.base import declaration
from gatewise.declare.tasks.label import RELATIVE, Label, refuse_options_of_others


@declaration
class Regression(Label):
    """A numeric label; training standardises the label, predictions are in the label's unit.

    Example:
        >>> Regression("dwell", loss="quantile", quantile=0.9).quantile
        0.9
    """

    further_metrics: ClassVar[tuple[str, ...]] = RELATIVE

    loss: Literal["mse", "mae", "huber", "quantile"] = field(default="mse", kw_only=True)
    """``mse``: learns the mean; ``mae``: the median; ``huber``: a value between the two, robust to outliers;
    ``quantile``: a quantile, by the pinball loss."""
    delta: Annotated[float, Field(gt=0)] = field(default=1.0, kw_only=True)
    """Of ``huber``: error, in standard deviations of the label, above which the loss is linear."""
    quantile: Annotated[float, Field(gt=0, lt=1)] = field(default=0.5, kw_only=True)
    """Of ``quantile``: the share of labels below the prediction."""
    kind: Literal["regression"] = field(default="regression", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _consistent(self) -> Regression:
        refuse_options_of_others(self, {"delta": "huber", "quantile": "quantile"})
        return self
