"""Callbacks of DeepCTR-Torch: the history, early stopping, saving, and ones of one's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from typing_extensions import override

from gatewise.errors import DeclarationError

Logs = Mapping[str, float]


class Callback:
    """Is called when training begins and ends, and at the end of every epoch."""

    model: Any = None

    def set_model(self, model: Any) -> None:
        """Take the model that is trained."""
        self.model = model

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Handle the start of a training."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Handle the end of an epoch, counted from 0, with its losses and metrics."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Handle the end of a training."""


class History(Callback):
    """The losses and metrics of every epoch.

    Attributes:
        epoch: numbers of the epochs, from 0.
        history: per name the values of all epochs.
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    @override
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Add the values of an epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)


class EarlyStopping(Callback):
    """Stops after ``patience`` epochs without improvement; the best epoch's weights always come back."""

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
    ) -> None:
        _check_mode(mode)
        self.monitor, self.min_delta, self.patience = monitor, abs(min_delta), patience
        self.verbose, self.mode, self.baseline = verbose, mode, baseline
        self.restore_best_weights = restore_best_weights


class ModelCheckpoint(Callback):
    """Saves the artefact of the best epoch, once training is over."""

    def __init__(
        self,
        filepath: str | Path,
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        period: int = 1,
    ) -> None:
        _check_mode(mode)
        self.filepath, self.monitor, self.verbose, self.mode, self.period = filepath, monitor, verbose, mode, period
        self.save_best_only, self.save_weights_only = save_best_only, save_weights_only

    def path(self, epoch: int, logs: Logs) -> Path:
        """Return the folder of the artefact, whose name may hold ``{epoch}`` and names of metrics."""
        return Path(str(self.filepath).format(epoch=epoch, **logs))


def _check_mode(mode: str) -> None:
    if mode not in ("auto", "min", "max"):
        raise DeclarationError(f"mode: expected 'auto', 'min' or 'max', found {mode!r}")
