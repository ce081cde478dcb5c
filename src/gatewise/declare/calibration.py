"""Calibration: make a trained model's probabilities agree with the observed rate of labels 1."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from gatewise.declare.base import Names, Shorthand, declaration
from gatewise.declare.tasks import Binary
from gatewise.errors import DeclarationError, did_you_mean, shown

if TYPE_CHECKING:
    from gatewise.declare.schema import Schema


@declaration
class Calibration:
    """Calibration of binary tasks' probabilities after training; a recipe may name just the method.

    Example:
        >>> Calibration("down_sampling", rate=0.1, tasks=["click"]).fits
        False
    """

    method: Literal["auto", "isotonic", "platt", "down_sampling"] = "auto"
    """``auto``: the better of the next two, or none, by the log loss on held-out folds; ``isotonic``: any rising
    function, learnt from a few thousand labelled rows; ``platt``: a line in the log odds, from a few hundred;
    ``down_sampling``: corrects for negatives removed at a known ``rate``, without labels."""
    tasks: Names | None = field(default=None, kw_only=True)
    """Binary tasks, by default all; for a step of a funnel, the probability given the step before is calibrated."""
    rate: Annotated[float, Field(gt=0, le=1)] | None = field(default=None, kw_only=True)
    """Share of the negatives kept in the training table; of ``down_sampling`` only."""

    @model_validator(mode="after")
    def _rate_of_down_sampling(self) -> Calibration:
        if self.method == "down_sampling" and self.rate is None:
            raise ValueError("down_sampling needs rate, the share of the negatives that was kept")
        if self.method != "down_sampling" and self.rate is not None:
            raise ValueError(f"rate belongs to down_sampling, {self.method} learns from labels")
        return self

    @property
    def fits(self) -> bool:
        """Whether the method learns from labelled rows."""
        return self.method != "down_sampling"

    def names(self, schema: Schema) -> tuple[str, ...]:
        """Return the names of the tasks to calibrate.

        Raises:
            DeclarationError: a name is not a binary task's, or ``down_sampling`` has several tasks.
        """
        known = [task.name for task in schema.tasks if isinstance(task, Binary)]
        for name in self.tasks or ():
            if name not in known:
                hint = did_you_mean(name, known) or f" (binary tasks: {shown(known)})"
                raise DeclarationError(f"calibration: {name!r} is no binary task{hint}")
        sampled = {task.name for task in schema.tasks if isinstance(task, Binary) and task.negatives_kept is not None}
        for name in self.tasks or ():
            if name in sampled:
                raise DeclarationError(
                    f"calibration: task {name!r} has negatives_kept: its predictions are corrected already, and a "
                    "calibration counts every row once"
                )
        names = [name for name in known if name not in sampled] if self.tasks is None else self.tasks
        if not names:
            raise DeclarationError("calibration: expected binary tasks, found none")
        if not self.fits and len(names) > 1:
            raise DeclarationError(
                f"calibration: down_sampling is by one label, found {shown(names)}: name its task in 'tasks'"
            )
        return tuple(names)


by_method: Any = Shorthand("method")
"""Lets ``"isotonic"`` stand for ``{"method": "isotonic"}``."""
