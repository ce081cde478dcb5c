"""Progress: bars at a terminal, lines in a notebook, and lines for the logger ``gatewise``."""

from __future__ import annotations

import logging
import os
import sys
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
from gatewise.training import Facts, Reporter

SECONDS_BETWEEN_LOSSES = 0.25
SECONDS_BETWEEN_LINES = 30.0
QUIET = "GATEWISE_QUIET"
"""The variable of the environment that, set to 1, hushes bars and lines."""
LOGGER = logging.getLogger("gatewise")
PROBLEMS = logging.getLogger("gatewise.problems")
MOST_TASKS = 4
"""Most tasks of which an epoch's line names each loss and metric."""


class Telling(Reporter):
    """The lines that tell of a training: what begins, every epoch, what it came to; subclasses say where they go.

    Args:
        tasks: the tasks' names.
        label: prefix of the lines, if several models are trained one after the other.
    """

    def __init__(self, tasks: list[str], label: str = "") -> None:
        self.tasks = tasks
        self.label = f"{label}: " if label else ""
        self._best: EpochRecord | None = None

    def _say(self, line: str) -> None:
        raise NotImplementedError

    def _detail(self, line: str) -> None:
        """Say what is worth saying to people who ask for more."""
        if LOGGER.isEnabledFor(logging.DEBUG):
            self._say(line)

    @override
    def on_prepared(self, facts: Facts) -> None:
        self._say(f"training: {facts_in_words(facts)}")

    @override
    def on_training_start(self, epochs: int, steps: int | None, first_epoch: int) -> None:
        self._epochs, self._epoch, self._steps = epochs, first_epoch, steps
        self._started = time.monotonic()
        of_steps = "" if steps is None else f" of {steps:,} steps each"
        again = "" if first_epoch == 1 else f", from epoch {first_epoch} on"
        self._say(f"at most {epochs} epochs{of_steps}{again}; * marks the best epoch so far, by its score")

    @override
    def on_epoch_end(self, record: EpochRecord) -> None:
        if record.best or record.score is None:
            self._best = record
        self._say(summary(record, self._epochs))
        self._epoch = record.epoch + 1
        for line in details(record):
            self._detail(line)

    @override
    def on_training_end(self, reason: str) -> None:
        best = "" if self._best is None else f"; weights of epoch {self._best.epoch}"
        self._say(f"training ended: {reason}, after {duration(time.monotonic() - self._started)}{best}")


class ProgressReporter(Telling):
    """Shows the lines of a training, and a bar for the current epoch.

    Args:
        tasks: the tasks' names.
        console: the console to write to; by default standard error.
        label: prefix of the lines, if several models are trained one after the other.
    """

    def __init__(self, tasks: list[str], console: Console | None = None, label: str = "") -> None:
        super().__init__(tasks, label)
        self.console = console or terminal(stderr=True)
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
        super().on_training_start(epochs, steps, first_epoch)
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
        super().on_epoch_end(record)
        if self._epoch <= self._epochs:
            self._bar.reset(self._task, description=self._title(), total=self._steps)

    @override
    def on_training_end(self, reason: str) -> None:
        assert self._bar is not None
        self._bar.stop()
        super().on_training_end(reason)

    @override
    def _say(self, line: str) -> None:
        self.console.print(f"{self.label}{line}", highlight=False, soft_wrap=True, markup=False, emoji=False)

    def _title(self) -> str:
        return f"{self.label}epoch {self._epoch}/{self._epochs}"


class LineReporter(Telling):
    """Prints the lines of a training, and one every 30 seconds within an epoch: for notebooks, which have no bars."""

    @override
    def on_training_start(self, epochs: int, steps: int | None, first_epoch: int) -> None:
        super().on_training_start(epochs, steps, first_epoch)
        self._step, self._told = 0, self._started

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
        super().on_epoch_end(record)
        self._step, self._told = 0, time.monotonic()

    @override
    def _say(self, line: str) -> None:
        print(f"{self.label}{line}", flush=True)


class LogReporter(LineReporter):
    """Writes the lines of a training to the logger ``gatewise``."""

    @override
    def _say(self, line: str) -> None:
        LOGGER.info("%s%s", self.label, line)

    @override
    def _detail(self, line: str) -> None:
        LOGGER.debug("%s%s", self.label, line)


def reporter_of(tasks: list[str], *, show: bool, label: str = "") -> list[Reporter]:
    """Return what tells of a training: bars at a terminal, lines in a notebook, and lines where somebody logs them."""
    found: list[Reporter] = []
    if show:
        found = [LineReporter(tasks, label) if in_notebook() else ProgressReporter(tasks, label=label)]
    return [*found, LogReporter(tasks, label)] if _logged(beside=show) else found


def _logged(*, beside: bool) -> bool:
    """Whether lines go to the logger; beside what is shown, where it has a place of its own, such as a file."""
    return LOGGER.isEnabledFor(logging.INFO) and (not beside or bool(LOGGER.handlers))


def facts_in_words(facts: Facts) -> str:
    """Return one line about a training before its first step: rows, features, parameters, device, folder."""
    rows = ", ".join(
        f"{'' if part == 'training' else part + ' '}{number:,} rows" for part, number in facts.rows.items()
    )
    features = f"{facts.features} feature" + ("" if facts.features == 1 else "s")
    parameters = f"{facts.parameters:,} parameters"
    if facts.embedded:
        parameters += f", {facts.embedded:,} of them in embeddings"
    where = "writes no files" if facts.folder is None else f"writes to {facts.folder}"
    return f"{rows}; {features}; {parameters}; {facts.device}, kernels: {kernels_on(facts.device)}; {where}"


def details(record: EpochRecord) -> list[str]:
    """Return lines with all figures of an epoch: rate, weights and metrics of every task, gates."""
    lines = [f"  lr {record.lr:.4g}, {record.seconds:.1f} s"]
    for task, values in record.train.items():
        shown = {"loss": values["loss"], "weight": values["weight"], **record.valid.get(task, {})}
        if task in record.gates:
            shown["gate entropy"] = record.gates[task]["relative_entropy"]
        lines.append(f"  {task}: " + ", ".join(f"{name} {_number(value)}" for name, value in shown.items()))
    others = {name: values for name, values in record.valid.items() if name not in record.train}
    lines += [
        f"  {name}: " + ", ".join(f"{each} {_number(value)}" for each, value in values.items())
        for name, values in others.items()
    ]
    return lines


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"


def kernels_on(device: str) -> str:
    """Return one line with the kernels that a training uses on a kind of device, and the reason."""
    device = device.partition(":")[0]
    return str(in_use()) if device == "cpu" else f"PyTorch (the compiled ones are for the CPU, this is {device})"


def summary(record: EpochRecord, epochs: int) -> str:
    """Return one line with the results of an epoch; of many tasks only the mean loss and the monitored score."""
    parts = [f"epoch {record.epoch}/{epochs}"]
    losses = {task: values["loss"] for task, values in record.train.items()}
    if len(losses) <= MOST_TASKS:
        parts += [f"{task} loss {loss:.4f}" for task, loss in losses.items()]
        for task, metrics in record.valid.items():
            name, value = next(iter(metrics.items()))
            parts.append(f"{task} {name} {_number(value)}")
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
    """Whether somebody watches, at a terminal or in a notebook, and nobody has asked for quiet."""
    return os.environ.get(QUIET) != "1" and (in_notebook() or terminal(stderr=True).is_terminal)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, which has no terminal, and bars only with further packages."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def said(line: str, show: bool) -> None:
    """Print a line to standard error, or give it to the logger; to both where the logger has a place of its own."""
    if show and in_notebook():
        print(line, flush=True)
    elif show:
        terminal(stderr=True).print(line, highlight=False, soft_wrap=True)
    if _logged(beside=show):
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
def hushed() -> Iterator[None]:
    """Keep lines of trainings out of the log, where a job of many trainings has a line for each of them."""
    before, LOGGER.disabled = LOGGER.disabled, True
    try:
        with unspoken():
            yield
    finally:
        LOGGER.disabled = before


@contextmanager
def working(what: str, show: bool) -> Iterator[Callable[[str], object]]:
    """Show a spinner during work without a bar; yields a function that changes its text."""
    if not show or in_notebook():
        yield lambda _: None
        return
    with terminal(stderr=True).status(Text(what)) as status:
        yield lambda other: status.update(Text(other))


@contextmanager
def counting(what: str, show: bool) -> Iterator[Callable[[int], None]]:
    """Show a running count of rows; yields a function to call with the number of rows of each piece."""
    if not show or in_notebook():
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
    if not show or in_notebook():
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
