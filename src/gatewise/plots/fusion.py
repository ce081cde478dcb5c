"""The front of a fusion's weights, where the goals of one order conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gatewise.analysis import FusionFront
from gatewise.plots.front import front

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def fusion_front(found: FusionFront, goals: tuple[int, int] = (0, 1), *, ax: Axes | None = None) -> Axes:
    """Draw the candidates by two goals: the front with the numbers of its points, its knee, the current weights.

    Args:
        found: the result of :func:`gatewise.fuse`.
        goals: positions of the goals of the horizontal and the vertical axis.
        ax: where to draw; a new figure by default.
    """
    values = np.array([each.values for each in found.tried])[:, list(goals)]
    best = [found.tried.index(each) for each in found.front]
    return front(
        values,
        best,
        best[found.knee],
        found.tried.index(found.current),
        [str(number) for number in range(1, len(best) + 1)],
        (found.goals[goals[0]], found.goals[goals[1]]),
        # with more than two goals the front is not a line
        joined=len(found.goals) == 2,
        ax=ax,
    )
