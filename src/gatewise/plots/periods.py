"""Labels over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from gatewise.plots.axes import axes_or_new, axis_text
from gatewise.plots.colours import series
from gatewise.plots.fonts import in_any_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TICKS = 4
"""Most periods that are named below the axis."""


@in_any_script
def periods(
    means: Mapping[str, Sequence[float | None]], begins: Sequence[str], *, ax: Axes | None = None, first: int = 0
) -> Axes:
    """Draw the mean of labels in every period of time, such as the share of clicks by day.

    Args:
        means: by label, its mean in every period; None where there is none.
        begins: what the periods are called, such as their first days.
        ax: where to draw; a new figure by default.
        first: place of the first label among the colours.

    Example:
        >>> ax = periods({"click": [0.4, None, 0.5]}, ["2022-05-01", "2022-05-02", "2022-05-03"])
        >>> [tick.get_text() for tick in ax.get_xticklabels()]
        ['2022-05-01', '2022-05-03']
    """
    ax = axes_or_new(ax)
    for place, values in enumerate(means.values()):
        numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        ax.plot(numbers, marker=".", color=series(first + place))
    named = np.unique(np.linspace(0, len(begins) - 1, min(TICKS, (len(begins) + 1) // 2)).round().astype(int))
    ax.set_xticks(named, [axis_text(begins[place]) for place in named])
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    return ax
