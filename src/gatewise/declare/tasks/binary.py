"""Labels that are 0 or 1."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from gatewise.declare.base import Name, declaration
from gatewise.declare.tasks.label import THRESHOLDED, Label, refuse_options_of_others

Positive = Annotated[float, Field(gt=0)]


@declaration
class Binary(Label):
    """A label that is 0 or 1 (or false, true); the prediction is the probability of 1.

    With ``after`` the task is a step of a funnel. For ``click``, and ``purchase`` after ``click``, the predictions are
    ``click``, ``purchase_given_click`` and ``click_and_purchase``.
    """

    further_metrics: ClassVar[tuple[str, ...]] = THRESHOLDED

    focal: Annotated[float, Field(ge=0)] = field(default=0.0, kw_only=True)
    """Exponent of the focal loss, in which well predicted rows count less; 0: cross entropy."""
    loss: Literal["cross_entropy", "jrc"] = field(default="cross_entropy", kw_only=True)
    """``cross_entropy``, or ``jrc``: two scores, which learn the probability and, within the groups of the schema's
    ``group``, the order of rows (Sheng et al., KDD 2023)."""
    calibration_share: Annotated[float, Field(gt=0, lt=1)] = field(default=0.5, kw_only=True)
    """Of ``jrc``: share of the loss of the probability; the rest is that of the order."""
    ranking: Literal["pairwise", "listwise"] | None = field(default=None, kw_only=True)
    """A second, ranking loss within the groups of the schema's ``group``."""
    ranking_weight: Positive = field(default=1.0, kw_only=True)
    """Factor of the ranking loss."""
    after: Name | None = field(default=None, kw_only=True)
    """The step before: a binary task whose label is 1 in all rows in which this label is 1."""
    through: Name | None = field(default=None, kw_only=True)
    """An optional step between ``after`` and this task, such as a cart before a purchase."""
    learn: Literal["entire_space", "observed", "ips", "dr"] = field(default="entire_space", kw_only=True)
    """How a step is learnt. ``entire_space``: the joint probability, over all rows (ESMM, ESM2); ``observed``: the step
    in rows in which the step before was taken; ``ips``, ``dr``: inverse propensities or doubly robust (ESCM2)."""
    clip: Annotated[float, Field(gt=0, le=1)] = field(default=0.01, kw_only=True)
    """Smallest propensity of ``ips`` and ``dr``."""
    conflicts: Literal["trust_before", "trust_after", "drop", "error"] = field(default="trust_before", kw_only=True)
    """Rows in which this label is 1 but the step before was not taken. ``trust_before``: this label counts as 0;
    ``trust_after``: the steps before count as 1; ``drop``: the row is in neither sample; ``error``: no training."""
    kind: Literal["binary"] = field(default="binary", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _consistent(self) -> Binary:
        refuse_options_of_others(self, {"calibration_share": "jrc"})
        for name in ("focal", "ranking", "after"):
            if self.loss == "jrc" and getattr(self, name):
                raise ValueError(f"{name} does not go with loss 'jrc'")
        if self.after is None:
            given = [name for name, unset in OF_STEPS.items() if getattr(self, name) != unset]
            if given:
                raise ValueError(f"{given[0]} belongs to a step of a funnel: give 'after', the step before")
            return self
        for name in ("within", "ranking", "focal"):
            if getattr(self, name):
                raise ValueError(f"{name} does not go with 'after'")
        if self.through == self.after:
            raise ValueError(f"through: {self.after!r} is the step before")
        return self


OF_STEPS = {"through": None, "learn": "entire_space", "clip": 0.01, "conflicts": "trust_before"}
"""Options of steps of a funnel, and what they are where nobody gave them."""
