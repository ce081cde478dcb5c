"""The front of a fusion's weights, where the goals of one order conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gatewise.analysis import FusionFront
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
def fusion_front(found: FusionFront, goals: tuple[int, int] = (0, 1), *, ax: Axes | None = None) -> Axes:
    """Draw the candidates by two goals: the front with the numbers of its points, its knee, the current weights.

    Args:
        found: the result of :func:`gatewise.fuse`.
        goals: positions of the goals of the horizontal and the vertical axis.
        ax: where to draw; a new figure by default.
    """
    ax = axes_or_new(ax)
    columns = list(goals)
    tried, front = (np.array([each.values for each in points])[:, columns] for points in (found.tried, found.front))
    knee, current = front[found.knee], np.array(found.current.values)[columns]
    ax.plot(*tried.T, "o", color=GUIDE, markersize=3, alpha=0.6, label="tried")
    # with more than two goals the front is not a line
    line = "-o" if len(found.goals) == 2 else "o"
    ax.plot(*front.T, line, color=ACCENT, markersize=5, linewidth=1.2, label="front")
    ax.plot(*knee, "D", color=series(2), markersize=8, label="knee")
    ax.plot(*current, "X", color=series(1), markersize=9, label="current")
    for point in _numbered(front):
        ax.annotate(str(point + 1), front[point], xytext=(4, 4), textcoords="offset points", fontsize="small")
    ax.locator_params(nbins=TICKS)
    ax.set_xlabel(axis_text(found.goals[goals[0]]))
    ax.set_ylabel(axis_text(found.goals[goals[1]]))
    add_legend(ax)
    return ax


def _numbered(front: np.ndarray) -> list[int]:
    """Return the points of a front ``[point, 2]`` whose numbers do not overlap with earlier ones."""
    reach = np.ptp(front, axis=0)
    places = front / np.where(reach > 0, reach, 1.0)
    chosen: list[int] = []
    for point in range(len(front)):
        if all(np.abs(places[point] - places[other]).max() >= APART for other in chosen):
            chosen.append(point)
    return chosen
