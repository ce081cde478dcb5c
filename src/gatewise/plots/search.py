"""A search for options: what trials came to, and which options mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gatewise.plots.axes import axes_or_new, axis_text
from gatewise.plots.colours import ACCENT, GUIDE
from gatewise.plots.fonts import in_any_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@in_any_script
def best_so_far(
    values: Sequence[float | None], *, score: str = "score", ax: Axes | None = None, colour: str = ACCENT
) -> Axes:
    """Draw every trial's value, greater is better, and a line of the best one so far.

    Args:
        values: by trial; None for a trial that failed, which is left out.
        score: the name of the values.
        ax: where to draw; a new figure by default.
        colour: the colour of the line.
    """
    from matplotlib.ticker import MaxNLocator

    ax = axes_or_new(ax)
    numbers = np.array(values, dtype=np.float64)
    trials = np.arange(1, len(numbers) + 1)
    ax.plot(trials, numbers, linestyle="", marker="o", markersize=3.5, color=GUIDE)
    if len(numbers):
        ax.step(trials, np.fmax.accumulate(numbers), where="post", color=colour)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("trial")
    ax.set_ylabel(axis_text(score))
    return ax


@in_any_script
def option_importance(shares: Mapping[str, float], *, ax: Axes | None = None, colour: str = ACCENT) -> Axes:
    """Draw the share that every option has in how trials differ, the greatest on top.

    Args:
        shares: by path of the option.
        ax: where to draw; a new figure by default.
        colour: the colour of the bars.
    """
    ax = axes_or_new(ax)
    found = sorted(shares.items(), key=lambda each: -each[1])
    ax.barh(range(len(found)), [share for _, share in found], height=0.65, color=colour)
    ax.set_yticks(range(len(found)), [axis_text(path) for path, _ in found])
    ax.set_ylim(max(len(found), 1) - 0.4, -0.6)
    ax.set_xlabel("importance")
    return ax
