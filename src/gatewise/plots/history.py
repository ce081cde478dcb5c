"""Curves of a training, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gatewise.history import EpochRecord
from gatewise.plots.axes import add_legend, axes_or_new, label_of
from gatewise.plots.colours import EVEN, GUIDE, line_style, series
from gatewise.plots.fonts import in_any_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOSSES = ("log_loss", "cross_entropy", "poisson_deviance")
"""Metrics that are what a task's training minimises, in the same unit."""
PAIRS = 6
"""Pairs of tasks whose gradients are drawn by default."""


@in_any_script
def learning_curve(
    history: Sequence[EpochRecord], task: str, metric: str | None = None, *, ax: Axes | None = None, colour: str = ""
) -> Axes:
    """Draw a task's mean loss on the training rows, or a metric of its prediction on the validation rows.

    A loss that is also a metric, such as the log loss of a probability, is drawn for the validation rows, too: the
    epoch from which the two part is the one from which the model learns the training rows by heart.

    A dotted line marks the epoch whose weights were kept.

    Args:
        history: the training's history, ``ranker.history``.
        task: the name of the task; with ``metric``, the name of one of its predictions.
        metric: such as ``"auc"``; None for the loss.
        ax: where to draw; a new figure by default.
        colour: the colour of the line.
    """
    ax = axes_or_new(ax)
    values: list[float | None]
    if metric is None:
        values = [record.train[task]["loss"] for record in history]
    else:
        values = [record.valid.get(task, {}).get(metric) for record in history]
    best = max((record.epoch for record in history if record.best), default=None)
    if best is not None:
        ax.axvline(best, color=GUIDE, linestyle=":", linewidth=1.2)
    beside = None if metric is not None else validation_loss(history, task)
    label = "training" if beside is not None else ""
    _line(ax, history, values, label, {**line_style(0), "color": colour or series(0)})
    if beside is not None:
        _line(ax, history, beside, "validation", {**line_style(0), "color": EVEN, "linestyle": "--", "marker": "s"})
        add_legend(ax)
    ax.set_ylabel("loss" if beside is not None else "training loss" if metric is None else f"{metric}, validation")
    return ax


def validation_loss(history: Sequence[EpochRecord], task: str) -> list[float | None] | None:
    """Return a task's loss on the validation rows by epoch; None if no metric is what the training minimised."""
    for metric in LOSSES:
        values = [record.valid.get(task, {}).get(metric) for record in history]
        if any(value is not None for value in values):
            return values
    return None


def task_weights(history: Sequence[EpochRecord], *, ax: Axes | None = None) -> Axes:
    """Draw the mean weight that balancing gave to each task's loss in every epoch."""
    tasks = history[0].train if history else {}
    weights = {task: [record.train[task].get("weight") for record in history] for task in tasks}
    ax = lines(history, weights, ax=ax)
    ax.set_ylabel("task weight")
    ax.set_ylim(bottom=0)
    return ax


@in_any_script
def gradient_conflict(
    history: Sequence[EpochRecord], at: str = "representation", *, limit: int = PAIRS, ax: Axes | None = None
) -> Axes:
    """Draw the mean cosine of the gradients of two tasks; below 0 they pull in opposite directions.

    Args:
        history: the history of a ranker that was trained with ``conflict_every``.
        at: where gradients were taken: ``"representation"`` or ``"experts"``.
        limit: how many pairs of tasks are drawn, the lowest cosines first.
        ax: where to draw; a new figure by default.
    """
    ax = axes_or_new(ax)
    ax.axhline(0, color=GUIDE, linewidth=1)
    lines(history, conflict_cosines(history, at, limit), ax=ax)
    ax.set_ylabel("cosine of gradients")
    ax.set_ylim(-1.05, 1.05)
    return ax


def conflict_cosines(
    history: Sequence[EpochRecord], at: str, limit: int | None = None
) -> dict[str, list[float | None]]:
    """Return the mean cosine per epoch, by pair of tasks, of the pairs with the lowest cosines; None: undefined."""
    by_epoch = [
        {" · ".join(pair["tasks"]): pair["cosine"] for pair in record.conflict if pair["at"] == at}
        for record in history
    ]
    cosines = {pair: [found.get(pair) for found in by_epoch] for pair in dict.fromkeys(p for e in by_epoch for p in e)}
    lowest = sorted(cosines, key=lambda pair: min((value for value in cosines[pair] if value is not None), default=1.0))
    kept = set(lowest[:limit])
    return {pair: values for pair, values in cosines.items() if pair in kept}


@in_any_script
def lines(
    history: Sequence[EpochRecord], values: Mapping[str, Iterable[float | None]], *, ax: Axes | None = None
) -> Axes:
    """Draw one named line per series over the epochs, with gaps where there is no value."""
    ax = axes_or_new(ax)
    for position, (name, numbers) in enumerate(values.items()):
        _line(ax, history, numbers, name, line_style(position))
    add_legend(ax)
    return ax


def _line(
    ax: Axes,
    history: Sequence[EpochRecord],
    values: Iterable[float | None],
    name: str,
    style: Mapping[str, Any],
) -> None:
    from matplotlib.ticker import MaxNLocator

    epochs = [record.epoch for record in history]
    numbers = np.array(list(values), dtype=np.float64)
    ax.plot(epochs, numbers, markersize=3.5, label=label_of(name) if name else None, **style)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("epoch")
