"""Gains and losses of tasks through sharing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gatewise.analysis import Verdict
from gatewise.plots.axes import add_legend, axes_or_new, axis_text, label_of
from gatewise.plots.colours import GUIDE, line_style
from gatewise.plots.fonts import in_any_script
from gatewise.plots.heat_map import heat_map

if TYPE_CHECKING:
    from matplotlib.axes import Axes

APART = 0.5
"""Share of the distance between two outputs that the models' points take up."""


@in_any_script
def seesaw(changes: Mapping[str, Mapping[str, Verdict]], *, ax: Axes | None = None) -> Axes:
    """Draw every model's gain or loss per output against single-task models, with intervals.

    A line that crosses 0 is a seesaw: one output pays for another.

    Args:
        changes: the verdicts of a comparison, ``found.seesaw``.
        ax: where to draw; a new figure by default.
    """
    ax = axes_or_new(ax)
    outputs = list(dict.fromkeys(output for found in changes.values() for output in found))
    ax.axhline(0, color=GUIDE, linewidth=1)
    for position, (model, found) in enumerate(changes.items()):
        shift = APART * ((position + 0.5) / len(changes) - 0.5)
        verdicts = [found[output] for output in outputs if output in found]
        places = [outputs.index(verdict.output) + shift for verdict in verdicts]
        values, reach = _drawn(verdicts)
        style: dict[str, Any] = {**line_style(position), "elinewidth": 1.2, "capsize": 2.5}
        ax.errorbar(places, values, yerr=reach, linewidth=0.9, label=label_of(model), **style)
    ax.set_xticks(range(len(outputs)), [axis_text(output) for output in outputs])
    ax.set_xlim(-0.5, max(len(outputs), 1) - 0.5)
    ax.set_ylabel("change of the metric")
    add_legend(ax)
    return ax


def _drawn(verdicts: Sequence[Verdict]) -> tuple[np.ndarray, np.ndarray]:
    """Return changes ``[output]`` and the lengths of their intervals down and up ``[2, output]``; NaN: undefined."""
    table = np.array([(each.change, each.low, each.high) for each in verdicts], dtype=np.float64).reshape(-1, 3)
    change, low, high = table.T
    return change, np.stack([change - low, high - change]).clip(min=0)


@in_any_script
def affinity(values: Sequence[Sequence[float | None]], tasks: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Draw the share by which a step on a row's task lowers the loss of a column's task.

    Args:
        values: ``[task][task]``, the affinity in a comparison, ``found.affinity["mmoe"]``; None: no label.
        tasks: names of the tasks, ``found.tasks``.
        ax: where to draw; a new figure by default.
    """
    ax = heat_map(values, tasks, tasks, ax=ax, signed=True, digits=3)
    ax.set_ylabel("a step on")
    ax.set_xlabel("lowers the loss of")
    return ax
