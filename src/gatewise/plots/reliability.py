"""Reliability curves of probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gatewise.analysis import ReliabilityBin
from gatewise.plots.axes import add_legend, axes_or_new, label_of
from gatewise.plots.colours import GUIDE, series
from gatewise.plots.fonts import in_any_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@in_any_script
def reliability(parts: Sequence[ReliabilityBin], *, ax: Axes | None = None, label: str = "", colour: str = "") -> Axes:
    """Draw the share of ones, with its interval, over the mean prediction, beside the line on which both are equal.

    Args:
        parts: the bins of one probability, such as ``ranker.reliability(table)["click"]``.
        ax: where to draw, such as the axes of another curve; a new figure by default.
        label: names the curve.
        colour: the colour of the curve.
    """
    ax = axes_or_new(ax)
    if not ax.lines:
        ax.axline((0, 0), slope=1, color=GUIDE, linestyle="--", linewidth=1)
    predicted, share = ([getattr(part, name) for part in parts] for name in ("prediction", "share"))
    reach = np.array([[part.share - part.low for part in parts], [part.high - part.share for part in parts]])
    style: dict[str, Any] = {
        "color": colour or series(0),
        "marker": "o",
        "markersize": 3.5,
        "elinewidth": 1,
        "capsize": 2,
    }
    ax.errorbar(predicted, share, yerr=reach.clip(min=0), label=label_of(label) if label else None, **style)
    ax.set_xlabel("mean prediction")
    ax.set_ylabel("share of ones")
    if label:
        add_legend(ax)
    return ax
