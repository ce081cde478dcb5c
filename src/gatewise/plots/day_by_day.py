"""Metrics of several models by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gatewise.plots.axes import add_legend, axes_or_new, axis_text, label_of
from gatewise.plots.colours import line_style
from gatewise.plots.fonts import in_any_script
from gatewise.plots.periods import TICKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@in_any_script
def day_by_day(
    values: Mapping[str, Sequence[float | None]], days: Sequence[str], *, of: str = "", ax: Axes | None = None
) -> Axes:
    """Draw a line per strategy of learning: a metric on every day.

    Args:
        values: by strategy, the value of every day; None: undefined.
        days: what the days are called.
        of: what the values are, such as ``auc``.
        ax: where to draw; a new figure by default.

    Example:
        >>> ax = day_by_day({"update": [0.7, 0.72], "stale": [0.7, None]}, ["2022-05-01", "2022-05-02"], of="auc")
        >>> ax.get_ylabel()
        'auc'
    """
    ax = axes_or_new(ax)
    for place, (name, found) in enumerate(values.items()):
        numbers = np.array([np.nan if value is None else value for value in found], dtype=np.float64)
        style: dict[str, Any] = {**line_style(place), "markersize": 3.5}
        ax.plot(numbers, label=label_of(name), **style)
    named = np.unique(np.linspace(0, len(days) - 1, min(TICKS, (len(days) + 1) // 2)).round().astype(int))
    ax.set_xticks(named, [axis_text(days[place]) for place in named])
    ax.set_ylabel(axis_text(of))
    add_legend(ax)
    return ax
