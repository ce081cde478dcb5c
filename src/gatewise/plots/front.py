"""The front of points with several values each, where the goals conflict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gatewise.plots.axes import add_legend, axes_or_new, axis_text
from gatewise.plots.colours import ACCENT, GUIDE, series
from gatewise.plots.fonts import in_any_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes

APART = 0.06
"""Least distance between numbered points, as a share of the front's extent."""
TICKS = 5
"""Most numbers at an axis, which have four digits each."""


@in_any_script
def front(
    values: np.ndarray,
    best: Sequence[int],
    knee: int,
    current: int | None,
    names: Sequence[str],
    goals: tuple[str, str],
    *,
    joined: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Draw points by two goals: all of them, the front with the names of its points, its knee, the current one.

    Args:
        values: ``[point, 2]``, greater is better.
        best: the points of the front, in its order.
        knee: a point of the front.
        current: the point that stands for what was there before, or None.
        names: a name per point of the front.
        goals: the names of the horizontal and the vertical axis.
        joined: whether the front is drawn as a line, which that of more than two goals is not.
        ax: where to draw; a new figure by default.
    """
    ax = axes_or_new(ax)
    on_front = values[list(best)]
    ax.plot(*values.T, "o", color=GUIDE, markersize=3, alpha=0.6, label="tried")
    ax.plot(*on_front.T, "-o" if joined else "o", color=ACCENT, markersize=5, linewidth=1.2, label="front")
    ax.plot(*values[knee], "D", color=series(2), markersize=8, label="knee")
    if current is not None:
        ax.plot(*values[current], "X", color=series(1), markersize=9, label="current")
    for point in _named(on_front):
        ax.annotate(names[point], on_front[point], xytext=(4, 4), textcoords="offset points", fontsize="small")
    ax.locator_params(nbins=TICKS)
    ax.set_xlabel(axis_text(goals[0]))
    ax.set_ylabel(axis_text(goals[1]))
    add_legend(ax)
    return ax


def _named(points: np.ndarray) -> list[int]:
    """Return the points of a front ``[point, 2]`` whose names do not overlap with earlier ones."""
    reach = np.ptp(points, axis=0)
    places = points / np.where(reach > 0, reach, 1.0)
    chosen: list[int] = []
    for point in range(len(points)):
        if all(np.abs(places[point] - places[other]).max() >= APART for other in chosen):
            chosen.append(point)
    return chosen
