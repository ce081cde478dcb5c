"""Progress: bars at a terminal, and lines for the logger ``gatewise`` elsewhere."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import fmean

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text
from torch import Tensor
from typing_extensions import override

from gatewise.history import EpochRecord
from gatewise.kernels import in_use
from gatewise.training import Reporter

SECONDS_BETWEEN_LOSSES = 0.25
SECONDS_BETWEEN_LINES = 30.0
QUIET = "GATEWISE_QUIET"
"""The variable of the environment that, set to 1, hushes bars and lines."""
LOGGER = logging.getLogger("gatewise")
PROBLEMS = logging.getLogger("gatewise.problems")
MOST_TASKS = 4
"""Most tasks of which an epoch's line names each loss and metric."""


class ProgressReporter(Reporter):
    """Shows the kernels in use, a bar for the current epoch and a line for every finished epoch.

    Args:
        tasks: the tasks' names.
        console: the console to write to; by default standard error.
        label: prefix of the lines, if several models are trained one after the other.
        device: the kind of device of the training.
    """

    def __init__(self, tasks: list[str], console: Console | None = None, label: str = "", device: str = "cpu") -> None:
        self.tasks = tasks
        self.console = console or terminal(stderr=True)
        self.label = f"{label}: " if label else ""
        self.device = device
        self._bar: Progress | None = None
        self._shown = 0.0

    @override
    def on_training_start(self, epochs: int, steps: int | None, first_epoch: int) -> None:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[losses]}", markup=False),
        )
        self._say(f"kernels: {kernels_on(self.device)}")
        self._epochs, self._epoch, self._steps = epochs, first_epoch, steps
        self._bar = Progress(*columns, console=self.console, transient=True)
        self._task = self._bar.add_task(self._title(), total=steps, losses="")
        self._bar.start()

    @override
    def on_step_end(self, losses: Tensor) -> None:
        assert self._bar is not None
        now = time.monotonic()
        # reading the losses waits for the device: a few times per second is enough
        if now - self._shown > SECONDS_BETWEEN_LOSSES:
            self._shown = now
            text = "  ".join(f"{name} {loss:.4f}" for name, loss in zip(self.tasks, losses.tolist(), strict=True))
            self._bar.update(self._task, losses=f"loss: {text}")
        self._bar.advance(self._task)

    @override
    def on_epoch_end(self, record: EpochRecord) -> None:
        assert self._bar is not None
        self._say(summary(record, self._epochs))
        self._epoch = record.epoch + 1
        if self._epoch <= self._epochs:
            self._bar.reset(self._task, description=self._title(), total=self._steps)

    @override
    def on_training_end(self, reason: str) -> None:
        assert self._bar is not None
        self._bar.stop()

    def _say(self, line: str) -> None:
        self.console.print(f"{self.label}{line}", highlight=False, soft_wrap=True, markup=False, emoji=False)

    def _title(self) -> str:
        return f"{self.label}epoch {self._epoch}/{self._epochs}"


class LogReporter(Reporter):
    """Writes a line to the logger ``gatewise`` for every epoch, and one every 30 seconds within an epoch.

    Args:
        tasks: the tasks' names.
        label: prefix of the lines, if several models are trained one after the other.
        device: the kind of device of the training.
    """

    def __init__(self, tasks: list[str], label: str = "", device: str = "cpu") -> None:
        self.tasks = tasks
        self.label = f"{label}: " if label else ""
        self.device = device

    @override
    def on_training_start(self, epochs: int, steps: int | None, first_epoch: int) -> None:
        self._epochs, self._epoch, self._steps, self._step = epochs, first_epoch, steps, 0
        self._started = self._told = time.monotonic()
        self._say(f"kernels: {kernels_on(self.device)}")
        of_steps = "" if steps is None else f" of {steps:,} steps each"
        self._say(f"training: at most {epochs} epochs{of_steps}; * marks the best one so far, by its score")

    @override
    def on_step_end(self, losses: Tensor) -> None:
        self._step += 1
        now = time.monotonic()
        if now - self._told >= SECONDS_BETWEEN_LINES:
            self._told = now
            total = "" if self._steps is None else f" of {self._steps:,}"
            mean = float(losses.mean())
            self._say(f"epoch {self._epoch}/{self._epochs}  step {self._step:,}{total}  mean loss {mean:.4f}")

    @override
    def on_epoch_end(self, record: EpochRecord) -> None:
        self._epoch, self._step, self._told = record.epoch + 1, 0, time.monotonic()
        self._say(summary(record, self._epochs))

    @override
    def on_training_end(self, reason: str) -> None:
        self._say(f"training ended: {reason}, after {duration(time.monotonic() - self._started)}")

    def _say(self, line: str) -> None:
        LOGGER.info("%s%s", self.label, line)


def reporter_of(tasks: list[str], *, show: bool, label: str, device: str) -> list[Reporter]:
    """Return what tells of a training: bars, or lines where somebody listens to the logger."""
    if show:
        return [ProgressReporter(tasks, label=label, device=device)]
    return [LogReporter(tasks, label, device)] if LOGGER.isEnabledFor(logging.INFO) else []


def kernels_on(device: str) -> str:
    """Return one line with the kernels that a training uses on a kind of device, and the reason."""
    return str(in_use()) if device == "cpu" else f"PyTorch (the compiled ones are for the CPU, this is {device})"


def summary(record: EpochRecord, epochs: int) -> str:
    """Return one line with the results of an epoch; of many tasks only the mean loss and the monitored score."""
    parts = [f"epoch {record.epoch}/{epochs}"]
    losses = {task: values["loss"] for task, values in record.train.items()}
    if len(losses) <= MOST_TASKS:
        parts += [f"{task} loss {loss:.4f}" for task, loss in losses.items()]
        for task, metrics in record.valid.items():
            name, value = next(iter(metrics.items()))
            parts.append(f"{task} {name} " + ("undefined" if value is None else f"{value:.4f}"))
    else:
        parts.append(f"mean loss of {len(losses)} tasks {fmean(losses.values()):.4f}")
    if record.score is not None:
        parts.append(f"score {record.score:.4f}")
    parts.append(f"{record.rows_per_second:,.0f} rows/s")
    return "  ".join(parts) + ("  *" if record.best else "")


def terminal(*, stderr: bool = False, width: int | None = None) -> Console:
    """Return a console without markup, since names of columns and classes may hold brackets and colons."""
    return Console(stderr=stderr, width=width, markup=False, emoji=False)


def at_terminal() -> bool:
    """Whether standard error is a terminal, and nobody has asked for quiet."""
    return os.environ.get(QUIET) != "1" and terminal(stderr=True).is_terminal


def said(line: str, show: bool) -> None:
    """Print a line to standard error, or give it to the logger."""
    if show:
        terminal(stderr=True).print(line, highlight=False, soft_wrap=True)
    else:
        LOGGER.info("%s", line)


@contextmanager
def unspoken() -> Iterator[None]:
    """Keep the logger of problems silent, where whoever trains says them in a place of its own, or not at all."""
    before, PROBLEMS.disabled = PROBLEMS.disabled, True
    try:
        yield
    finally:
        PROBLEMS.disabled = before


@contextmanager
def working(what: str, show: bool) -> Iterator[Callable[[str], object]]:
    """Show a spinner during work without a bar; yields a function that changes its text."""
    if not show:
        yield lambda _: None
        return
    with terminal(stderr=True).status(Text(what)) as status:
        yield lambda other: status.update(Text(other))


@contextmanager
def counting(what: str, show: bool) -> Iterator[Callable[[int], None]]:
    """Show a running count of rows; yields a function to call with the number of rows of each piece."""
    if not show:
        yield lambda _: None
        return
    columns = (SpinnerColumn(), TextColumn("{task.completed:,.0f} {task.description}", markup=False))
    with Progress(*columns, console=terminal(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda rows: bar.advance(task, rows)


@contextmanager
def counting_down(what: str, total: int, show: bool) -> Iterator[Callable[[int, float | None], None]]:
    """Show the number of finished pieces of a long job, and the remaining time.

    Yields a function to call with the number of remaining pieces and their seconds, or None.
    """
    if not show:
        yield lambda left, seconds: LOGGER.info("%s", _left(what, total, left, seconds))
        return
    columns = (SpinnerColumn(), TextColumn(what, markup=False), BarColumn(bar_width=30), MofNCompleteColumn())
    with Progress(*columns, TextColumn("{task.fields[left]}", markup=False), console=terminal(stderr=True)) as bar:
        task = bar.add_task(what, total=total, left="")

        def tell(left: int, seconds: float | None) -> None:
            bar.update(task, completed=total - left, left="" if seconds is None else f"about {duration(seconds)} left")

        yield tell


def _left(what: str, total: int, left: int, seconds: float | None) -> str:
    return f"{what}: {total - left} of {total}" + ("" if seconds is None else f", about {duration(seconds)} left")


def duration(seconds: float) -> str:
    """Return a number of seconds as readable text."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
