"""One trial of a search, trained and judged."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from typing_extensions import override

from gatewise.errors import GatewiseError
from gatewise.history import EpochRecord, kept_epoch
from gatewise.jobs.tables import Tables
from gatewise.jobs.tune_plan import Plan
from gatewise.progress import hushed
from gatewise.ranker import Ranker
from gatewise.training import Reporter


class Watched(Protocol):
    """What is told of every epoch of a trial, and says whether it goes on; such as a trial of Optuna."""

    def report(self, value: float, step: int) -> None:
        """Say how good the trial is after an epoch."""

    def should_prune(self) -> bool:
        """Whether the trial is worse than others at the epoch that was reported last."""


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    Attributes:
        state: ``complete``, ``pruned`` or ``failed``.
        values: the score of every goal, greater is better; None: it failed, or was ended before its first epoch.
        epochs: how many epochs were trained.
        seconds: how long it took.
        error: why it failed, or an empty text.
    """

    state: str
    values: list[float] | None
    epochs: int
    seconds: float
    error: str = ""


class _Stopped(Exception):  # noqa: N818
    """A trial is ended early: it is worse than others, or the time is up."""


class _Watching(Reporter):
    """Tells a study of every epoch, and ends a trial that is worse than others were, or whose time is up."""

    def __init__(self, trial: Watched, until: float | None, *, told: bool) -> None:
        self.trial, self.until, self.told = trial, until, told
        self.records: list[EpochRecord] = []

    @override
    def on_epoch_end(self, record: EpochRecord) -> None:
        self.records.append(record)
        worse = False
        if self.told:
            # early stopping keeps the best epoch, so a trial is as good as its best epoch so far
            self.trial.report(self.best, record.epoch)
            worse = self.trial.should_prune()
        if worse or (self.until is not None and time.monotonic() > self.until):
            raise _Stopped

    @property
    def best(self) -> float:
        return max(record.score for record in self.records if record.score is not None)


def attempted(plan: Plan, tables: Tables, trial: Watched, options: Mapping[str, Any], seconds: float | None) -> Outcome:
    """Train the recipe with some options, and judge it on the validation rows.

    Args:
        plan: the search.
        tables: the rows.
        trial: what is told of every epoch, where there is one goal: several have no order to end a trial by.
        options: what differs from the recipe, by path.
        seconds: the trial ends with the epoch in which so many seconds are over; None: no limit.
    """
    began = time.monotonic()
    watching = _Watching(trial, None if seconds is None else began + seconds, told=not plan.monitors)
    state, error = "complete", ""
    values: list[float] | None = None
    try:
        recipe = plan.recipe(options)
        ranker = Ranker.from_options(recipe.schema(), recipe)
        with hushed(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                ranker.fit(tables.train, tables.valid, progress=False, callbacks=[watching], now=tables.now)
            except _Stopped:
                state = "pruned"
        values = _values(plan, watching)
    except GatewiseError as failure:
        state, error = "failed", str(failure).splitlines()[0]
    return Outcome(state, values, len(watching.records), round(time.monotonic() - began, 3), error)


def _values(plan: Plan, watching: _Watching) -> list[float]:
    """Return the score of every goal, at the epoch whose weights are kept."""
    if not plan.monitors:
        return [watching.best]
    kept = kept_epoch(watching.records)
    assert kept is not None
    return [monitor.score(kept.valid) for monitor in plan.monitors]
