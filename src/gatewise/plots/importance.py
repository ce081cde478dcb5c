"""Importance of features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gatewise.analysis import Importance
from gatewise.plots.axes import axes_or_new, axis_text
from gatewise.plots.colours import ACCENT, GUIDE
from gatewise.plots.fonts import in_any_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = 15
"""How many features are drawn by default."""


@in_any_script
def importance(
    found: Sequence[Importance], *, limit: int = SHOWN, ax: Axes | None = None, colour: str = ACCENT
) -> Axes:
    """Draw how much worse a metric becomes when a feature is shuffled, the greatest drop on top.

    Whiskers reach from the least to the greatest of the repeats.

    Args:
        found: the importances for one output; undefined ones are left out.
        limit: how many features at most.
        ax: where to draw; a new figure by default.
        colour: the colour of the bars.
    """
    ax = axes_or_new(ax)
    known = [(each.feature, each.drop, each.low, each.high) for each in found if each.drop is not None]
    first = sorted(known, key=lambda each: -each[1])[:limit]
    drops, lows, highs = (np.array([each[k] for each in first], dtype=np.float64) for k in (1, 2, 3))
    reach = np.stack([drops - lows, highs - drops]).clip(min=0)
    ax.barh(range(len(first)), drops, height=0.65, color=colour)
    ax.errorbar(drops, range(len(first)), xerr=reach, linestyle="", ecolor=GUIDE, elinewidth=1.4, capsize=2)
    ax.set_yticks(range(len(first)), [axis_text(feature) for feature, *_ in first])
    ax.set_ylim(max(len(first), 1) - 0.4, -0.6)
    ax.axvline(0, color=GUIDE, linewidth=1)
    if found:
        ax.set_xlabel(f"loss of {found[0].metric}")
    return ax
