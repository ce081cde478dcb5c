"""Reporters: callbacks on the progress of a training; the loop itself never prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor
from typing_extensions import override

from gatewise.history import EpochRecord


@dataclass(frozen=True)
class Facts:
    """What is known of a training before its first step.

    Attributes:
        options: schema and options as plain values, with what ``auto`` became.
        rows: number of ``training`` and, if there are any, ``validation`` rows.
        features: number of features.
        parameters: number of the model's trained numbers.
        embedded: how many of them stand in embedding tables.
        device: the device of the training.
        folder: the folder of the run; None: nothing is written.
    """

    options: Mapping[str, Any]
    rows: Mapping[str, int]
    features: int
    parameters: int
    embedded: int
    device: str
    folder: Path | None = None


class Reporter:
    """Is called at every step and epoch. This class does nothing; subclasses show progress or write logs."""

    def on_prepared(self, facts: Facts) -> None:
        """Handle what is known when the tables are encoded and the model is built; comes before the start."""

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

    def on_saved(self, folder: Path, metrics: Mapping[str, Any]) -> None:
        """Handle the saved artefact; ``gatewise train`` calls it, ``fit`` does not.

        Args:
            folder: the artefact.
            metrics: metrics of held-out rows, ``{part: {task: {metric: value}}}``.
        """

    def on_report(self, path: Path) -> None:
        """Handle the written report; ``gatewise train`` calls it, ``fit`` does not."""


class Reporters(Reporter):
    """Several reporters as one; each is called in turn."""

    def __init__(self, reporters: Sequence[Reporter]) -> None:
        self.reporters = tuple(reporters)

    @override
    def on_prepared(self, facts: Facts) -> None:
        for reporter in self.reporters:
            reporter.on_prepared(facts)

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

    @override
    def on_saved(self, folder: Path, metrics: Mapping[str, Any]) -> None:
        for reporter in self.reporters:
            reporter.on_saved(folder, metrics)

    @override
    def on_report(self, path: Path) -> None:
        for reporter in self.reporters:
            reporter.on_report(path)
