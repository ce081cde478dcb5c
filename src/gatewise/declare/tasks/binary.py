"""Labels that are 0 or 1."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator
from typing_extensions import override

from gatewise.declare.base import Name, declaration
from gatewise.declare.tasks.label import THRESHOLDED, Label, refuse_options_of_others

Positive = Annotated[float, Field(gt=0)]


def _kept(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and not 0 < value <= 1:
        raise ValueError(f"expected a share above 0 and at most 1, or the name of a column, found {value!r}")
    return value


Kept = Annotated[float | Name, BeforeValidator(_kept)]


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
    late: Literal["wait", "delayed_feedback", "importance"] = field(default="wait", kw_only=True)
    """What is learnt of rows younger than ``delay``. ``wait``: nothing; ``delayed_feedback``: the likelihood of what is
    seen so far, with an exponential delay (Chapelle, KDD 2014); ``importance``: fake negatives weigh less and early
    positives more, with a delay of any shape (ES-DFM, AAAI 2021)."""
    seen: Name | None = field(default=None, kw_only=True)
    """Of ``late``: the column of the time at which the label became 1, null where it is 0; not needed in all rows."""
    negatives_kept: Kept | None = field(default=None, kw_only=True)
    """The share of the negatives that the tables with labels still hold, such as 0.1 where nine of ten were dropped;
    or the column of each row's share. The loss and the metrics count a negative that often more, so that predictions
    are probabilities among all rows. Nothing is dropped."""
    kind: Literal["binary"] = field(default="binary", kw_only=True, repr=False)

    @model_validator(mode="after")
    def _consistent(self) -> Binary:
        refuse_options_of_others(self, {"calibration_share": "jrc"})
        self._check_late()
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

    def _check_late(self) -> None:
        if self.late == "wait":
            if self.seen is not None:
                raise ValueError(f"seen {self.seen!r} belongs to late 'delayed_feedback' or 'importance'")
        elif self.delay is None:
            raise ValueError(f"late {self.late!r} needs delay, the age from which a label is final, and time")
        else:
            for name in ("focal", "ranking", "after", "negatives_kept"):
                if getattr(self, name):
                    hint = (
                        f": declare within={self.after!r} instead, which learns in the rows of that step, or "
                        "late='wait', with which the task stays a step"
                    )
                    raise ValueError(f"{name} does not go with late {self.late!r}{hint if name == 'after' else ''}")
            if self.loss != "cross_entropy":
                raise ValueError(f"loss {self.loss!r} does not go with late {self.late!r}")
        if isinstance(self.negatives_kept, str) and self.after is not None:
            raise ValueError("negatives_kept: a step of a funnel takes a share such as 0.1, found the name of a column")

    @property
    @override
    def columns_of_labels(self) -> tuple[str, ...]:
        further = (self.seen, self.negatives_kept if isinstance(self.negatives_kept, str) else None)
        return (*super().columns_of_labels, *(name for name in further if name is not None))


OF_STEPS = {"through": None, "learn": "entire_space", "clip": 0.01, "conflicts": "trust_before"}
"""Options of steps of a funnel, and what they are where nobody gave them."""
