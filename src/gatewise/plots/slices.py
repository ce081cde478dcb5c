"""Metrics by slice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gatewise.analysis import Slice, worst
from gatewise.metrics import GroupMetric, Metric
from gatewise.plots.axes import axes_or_new, axis_text
from gatewise.plots.colours import ACCENT, GUIDE, WORSE
from gatewise.plots.fonts import in_any_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@in_any_script
def slices(
    parts: Sequence[Slice], metric: Metric | GroupMetric, *, whole: float | None = None, ax: Axes | None = None
) -> Axes:
    """Draw a metric in every slice of a column, the worst one in another colour.

    Args:
        parts: the slices of one column, for one prediction, such as ``ranker.slices(table, "hour")["click"]``.
        metric: such as ``gatewise.metrics.AUC``; a slice without a defined metric has no point.
        whole: the metric over all rows, drawn as a line.
        ax: where to draw; a new figure by default.
    """
    ax = axes_or_new(ax)
    if whole is not None:
        ax.axvline(whole, color=GUIDE, linestyle="--", linewidth=1)
    least = worst(metric, parts)
    for position, part in enumerate(parts):
        value = part.metrics.get(metric.name)
        if value is not None:
            ax.plot([value], [position], marker="o", linestyle="", color=WORSE if part is least else ACCENT)
    ax.set_yticks(range(len(parts)), [axis_text(part.value) for part in parts])
    ax.set_ylim(len(parts) - 0.5, -0.5)
    ax.set_xlabel(metric.name)
    return ax
