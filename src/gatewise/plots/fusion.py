"""Where the goals of one order conflict, and what the weights of a fusion choose between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gatewise.analysis import FusionFront
from gatewise.plots.axes import add_legend, axes_or_new, plain
from gatewise.plots.colours import ACCENT, GUIDE, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROOM = 8.0
"""Points between a point of the front and its number."""


def fusion_front(found: FusionFront, goals: tuple[int, int] = (0, 1), *, ax: Axes | None = None) -> Axes:
    """Draw what was tried by two of the goals: the front with the numbers of its points, its knee, the current weights.

    Args:
        found: what :func:`gatewise.fuse` returned.
        goals: positions of the goals, that of the horizontal axis first.
        ax: where to draw; a new figure by default.
    """
    ax = axes_or_new(ax)
    columns = list(goals)
    tried, front = (np.array([each.values for each in points])[:, columns] for points in (found.tried, found.front))
    knee, current = front[found.knee], np.array(found.current.values)[columns]
    ax.plot(*tried.T, "o", color=GUIDE, markersize=3, alpha=0.6, label="tried")
    # of more than two goals the front is no line
    line = "-o" if len(found.goals) == 2 else "o"
    ax.plot(*front.T, line, color=ACCENT, markersize=5, linewidth=1.2, label="not beaten on all goals")
    ax.plot(*knee, "D", color=series(2), markersize=8, label="knee")
    ax.plot(*current, "X", color=series(1), markersize=9, label="current weights")
    for number, point in enumerate(front, start=1):
        ax.annotate(str(number), point, xytext=(ROOM / 2, ROOM / 2), textcoords="offset points", fontsize="small")
    for name, axis in zip((found.goals[goal] for goal in goals), (ax.xaxis, ax.yaxis), strict=True):
        axis.set_label_text(plain(name))
    add_legend(ax)
    return ax
