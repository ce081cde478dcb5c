"""Reporters: callbacks on the progress of a training; the loop itself never prints."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from typing_extensions import override

from gatewise.history import EpochRecord


class Reporter:
    """Is called at every step and epoch. This class does nothing; subclasses show progress or write logs."""

    def on_training_start(self, epochs: int, steps: int | None, first_epoch: int) -> None:
        """Handle the start: at most ``epochs`` of ``steps`` steps each, from ``first_epoch`` (counted from 1) on.

        ``steps`` is None if the number of rows is not known.
        """

    def on_step_end(self, losses: Tensor) -> None:
        """Handle the end of a step; ``losses [task]`` are on the device, and reading them waits for the step."""

    def on_epoch_end(self, record: EpochRecord) -> None:
        """Handle the end of an epoch and its validation."""

    def on_training_end(self, reason: str) -> None:
        """Handle the end of training, with the reason in words."""


class Reporters(Reporter):
    """Several reporters as one; each is called in turn."""

    def __init__(self, reporters: Sequence[Reporter]) -> None:
        self.reporters = tuple(reporters)

    @override
    def on_training_start(self, epochs: int, steps: int | None, first_epoch: int) -> None:
        for reporter in self.reporters:
            reporter.on_training_start(epochs, steps, first_epoch)

    @override
    def on_step_end(self, losses: Tensor) -> None:
        for reporter in self.reporters:
            reporter.on_step_end(losses)

    @override
    def on_epoch_end(self, record: EpochRecord) -> None:
        for reporter in self.reporters:
            reporter.on_epoch_end(record)

    @override
    def on_training_end(self, reason: str) -> None:
        for reporter in self.reporters:
            reporter.on_training_end(reason)
