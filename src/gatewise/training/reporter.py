"""Who is told how training goes; the loop itself never prints."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from typing_extensions import override

from gatewise.history import EpochRecord


class Reporter:
    """Hears of every step and epoch. This one says nothing; subclasses show progress or log elsewhere."""

    def on_training_start(self, epochs: int, steps: int | None, first_epoch: int) -> None:
        """Training starts: at most ``epochs`` of ``steps`` steps each, from ``first_epoch`` (counted from 1) on.

        ``steps`` is None where nobody knows how many rows there are.
        """

    def on_step_end(self, losses: Tensor) -> None:
        """Take note of a step; ``losses [task]`` are still on the device and cost nothing unless they are read."""

    def on_epoch_end(self, record: EpochRecord) -> None:
        """Take note of an epoch, validation included."""

    def on_training_end(self, reason: str) -> None:
        """Training is over, for a reason in words."""


class Reporters(Reporter):
    """Several reporters as one: each is told in turn."""

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
