"""Who is told how training goes; the loop itself never prints."""

from __future__ import annotations

from torch import Tensor

from gatewise.history import EpochRecord


class Reporter:
    """Hears of every step and epoch. This one says nothing; subclasses show progress or log elsewhere."""

    def training_started(self, epochs: int, steps: int | None, first_epoch: int) -> None:
        """Training starts: at most ``epochs`` of ``steps`` steps each, from ``first_epoch`` (counted from 1) on.

        ``steps`` is None where nobody knows how many rows there are.
        """

    def step_done(self, losses: Tensor) -> None:
        """Take note of a step; ``losses [task]`` are still on the device and cost nothing unless they are read."""

    def epoch_done(self, record: EpochRecord) -> None:
        """Take note of an epoch, validation included."""

    def training_ended(self, reason: str) -> None:
        """Training is over, for a reason in words."""
