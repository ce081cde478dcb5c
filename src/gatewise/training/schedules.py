"""Learning-rate schedules, by epoch or by step."""

from __future__ import annotations

import math
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau, StepLR
from typing_extensions import override


def steps_per_epoch(rows: int, batch_size: int, accumulate: int) -> int:
    """Return the number of optimiser steps per pass over the rows; the last step may have fewer batches."""
    return math.ceil(math.ceil(rows / batch_size) / accumulate)


class Schedule:
    """Changes the learning rate after steps or epochs; this class leaves it constant."""

    def after_step(self) -> None:
        """Advance after a step of the optimiser."""

    def after_epoch(self, score: float | None) -> None:
        """Advance after an epoch, with the monitored score (greater is better) or None."""

    def state_dict(self) -> dict[str, Any]:
        """Return the state as tensors and numbers."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a saved state."""


class _TorchSchedule(Schedule):
    scheduler: LRScheduler

    @override
    def state_dict(self) -> dict[str, Any]:
        # "lr_lambdas" is a list of None that LambdaLR needs when it is restored
        kept = ("last_epoch", "_last_lr", "best", "num_bad_epochs", "cooldown_counter", "lr_lambdas")
        return {key: value for key, value in self.scheduler.state_dict().items() if key in kept}

    @override
    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.scheduler.load_state_dict(state)


class _Counted(_TorchSchedule):
    """A schedule by the number of steps or epochs."""

    scheduler: StepLR | LambdaLR

    def __init__(self, scheduler: StepLR | LambdaLR, unit: str) -> None:
        self.scheduler = scheduler
        self.unit = unit

    @override
    def after_step(self) -> None:
        if self.unit == "step":
            self.scheduler.step()

    @override
    def after_epoch(self, score: float | None) -> None:
        if self.unit == "epoch":
            self.scheduler.step()


class _OnPlateau(_TorchSchedule):
    """A schedule by the monitored score."""

    scheduler: ReduceLROnPlateau

    def __init__(self, scheduler: ReduceLROnPlateau) -> None:
        self.scheduler = scheduler

    @override
    def after_epoch(self, score: float | None) -> None:
        if score is not None:
            self.scheduler.step(score)


def step_decay(optimizer: Optimizer, *, every: int, factor: float, unit: str) -> Schedule:
    """Multiply the rate by ``factor`` after every ``every`` epochs or steps."""
    return _Counted(StepLR(optimizer, every, factor), unit)


def cosine(optimizer: Optimizer, *, total: int, warmup: float, floor: float, unit: str) -> Schedule:
    r"""Rise linearly for a share ``warmup`` of the ``total`` epochs or steps, then fall along a cosine to ``floor``.

    .. math::
        \eta(t) = \eta_0 \left(f + (1 - f) \frac{1 + \cos(\pi u)}{2}\right), \qquad u = \frac{t - t_w}{t_{max} - t_w}
    """
    rising = round(warmup * total)

    def rate(count: int) -> float:
        if count < rising:
            return (count + 1) / (rising + 1)
        progress = min((count - rising) / max(total - 1 - rising, 1), 1.0)
        return floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2

    return _Counted(LambdaLR(optimizer, rate), unit)


def plateau(optimizer: Optimizer, *, patience: int, factor: float) -> Schedule:
    """Multiply the rate by ``factor`` when the score has not risen for more than ``patience`` epochs."""
    return _OnPlateau(ReduceLROnPlateau(optimizer, mode="max", patience=patience, factor=factor, threshold=0.0))
