"""The base of all trackers: what is recorded when, and a failure that costs the record and not the training."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ParamSpec

from typing_extensions import override

from gatewise.errors import GatewiseWarning
from gatewise.history import EpochRecord
from gatewise.training import Facts, Reporter

P = ParamSpec("P")
LONGEST = 200
"""Most letters of a reason."""


class Tracker(Reporter):
    """Records parameters, epochs, final metrics, model and report; subclasses say where.

    The first error of a tracker is one warning; the tracker then records nothing more.

    Args:
        also: further parameters to record, such as the data of a recipe, as plain values.
    """

    what = "tracker"
    """Name of the tracker in warnings."""

    def __init__(self, also: Mapping[str, Any] | None = None) -> None:
        self.also = dict(also or {})
        self.failed = False
        self._facts: Facts | None = None

    def begin(self, facts: Facts | None, first_epoch: int) -> None:
        """Begin, or go on with, the record of a training; ``first_epoch`` counts from 1."""

    def epoch(self, record: EpochRecord) -> None:
        """Record an epoch."""

    def end(self, reason: str) -> None:
        """Record the end of the training."""

    def saved(self, folder: Path, metrics: Mapping[str, Any]) -> None:
        """Record the final metrics of held-out rows, and the artefact in a folder."""

    def report(self, path: Path) -> None:
        """Record the report."""

    @override
    def on_prepared(self, facts: Facts) -> None:
        self._facts = facts

    @override
    def on_training_start(self, epochs: int, steps: int | None, first_epoch: int) -> None:
        self._try(self.begin, self._facts, first_epoch)

    @override
    def on_epoch_end(self, record: EpochRecord) -> None:
        self._try(self.epoch, record)

    @override
    def on_training_end(self, reason: str) -> None:
        self._try(self.end, reason)

    @override
    def on_saved(self, folder: str | Path, metrics: Mapping[str, Any]) -> None:
        self._try(self.saved, Path(folder), metrics)

    @override
    def on_report(self, path: str | Path) -> None:
        self._try(self.report, Path(path))

    def _try(self, work: Callable[P, None], *args: P.args, **options: P.kwargs) -> None:
        if self.failed:
            return
        try:
            with warnings.catch_warnings():
                # trackers warn of their own and each other's future, which nobody who trains can change
                warnings.simplefilter("ignore")
                work(*args, **options)
        except Exception as error:
            self.failed = True
            lines = str(error).splitlines()
            reason = lines[0][:LONGEST] if lines else type(error).__name__
            message = f"{self.what} records nothing more of this training, which goes on: {reason}"
            warnings.warn(message, GatewiseWarning, stacklevel=3)
