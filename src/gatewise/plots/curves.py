"""Curves of a probability: ROC, precision over recall, scores by label, gain; labels and predictions by day."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gatewise.analysis import Curves, Period
from gatewise.plots.axes import add_legend, axes_or_new, axis_text
from gatewise.plots.colours import ACCENT, EVEN, GUIDE, SERIES, line_style
from gatewise.plots.fonts import in_any_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DAY = r"\d{4}-\d\d-\d\d"
DATES = 6
"""Most dates below a picture."""


def roc(found: Curves, *, ax: Axes | None = None, colour: str = ACCENT) -> Axes:
    """Draw the share of ones over the share of zeros at or above every threshold; the dashed line is chance."""
    ax = axes_or_new(ax)
    ax.axline((0, 0), slope=1, color=GUIDE, linestyle="--", linewidth=1)
    ax.plot(found.false_positives, found.true_positives, color=colour)
    return _unit_square(ax, "share of the zeros", "share of the ones")


def precision_recall(found: Curves, *, ax: Axes | None = None, colour: str = ACCENT) -> Axes:
    """Draw the share of ones among the rows at or above every threshold; the dashed line is chance."""
    ax = axes_or_new(ax)
    ax.axhline(found.rate, color=GUIDE, linestyle="--", linewidth=1)
    ax.plot(found.recall, found.precision, color=colour)
    return _unit_square(ax, "recall", "precision")


def gain(found: Curves, *, ax: Axes | None = None, colour: str = ACCENT) -> Axes:
    """Draw the share of all ones among the rows of the highest scores, by the share of these rows; dashed: chance."""
    ax = axes_or_new(ax)
    ax.axline((0, 0), slope=1, color=GUIDE, linestyle="--", linewidth=1)
    ax.plot(found.contacted, found.gained, color=colour)
    return _unit_square(ax, "share of the rows", "share of the ones")


def scores(found: Curves, *, ax: Axes | None = None, colour: str = ACCENT) -> Axes:
    """Draw how the scores of the ones and those of the zeros are spread, each in shares of its own rows."""
    ax = axes_or_new(ax)
    ax.stairs(found.zeros, found.edges, fill=True, color=EVEN, alpha=0.35, label="zeros")
    ax.stairs(found.ones, found.edges, color=colour, linewidth=1.6, label="ones")
    ax.set_xlim(found.edges[0], found.edges[-1])
    ax.set_ylim(bottom=0)
    ax.set_xlabel("prediction")
    ax.set_ylabel("share of the rows")
    add_legend(ax)
    return ax


@in_any_script
def by_day(found: Sequence[Period], *, ax: Axes | None = None, colour: str = "") -> Axes:
    """Draw the mean label and the mean prediction of every day.

    Args:
        found: the days of one prediction.
        ax: where to draw; a new figure by default.
        colour: the colour of the predictions.
    """
    ax = axes_or_new(ax)
    places = range(len(found))
    found_style: dict[str, Any] = {**line_style(len(SERIES)), "color": EVEN, "label": "found"}
    own_style: dict[str, Any] = {**line_style(0), "label": "predicted"} | ({"color": colour} if colour else {})
    ax.plot(places, [each.label for each in found], markersize=3.5, **found_style)
    ax.plot(places, [each.prediction for each in found], markersize=3.5, **own_style)
    shown = list(places)[:: max(1, math.ceil(len(found) / DATES))]
    # days of one year without the year
    years = {each.when[:5] for each in found}
    common = len(years.pop()) if len(years) == 1 and all(re.fullmatch(DAY, each.when) for each in found) else 0
    ax.set_xticks(shown, [axis_text(found[k].when[common:]) for k in shown])
    ax.set_ylabel("mean")
    add_legend(ax)
    return ax


def _unit_square(ax: Axes, across: str, up: str) -> Axes:
    ax.set_xlim(-0.01, 1.01)
    ax.set_ylim(-0.01, 1.01)
    ax.set_xlabel(across)
    ax.set_ylabel(up)
    return ax
