"""Axes to draw on, and texts as matplotlib takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from gatewise.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLAIN_STYLE = {"axes.spines.top": False, "axes.spines.right": False, "svg.fonttype": "none"}
"""What matplotlib is told for every picture that Gatewise writes to a file: two axes, and text that stays text."""
LONGEST = 26
"""Letters of a name that are shown; the rest is an ellipsis."""
LEGEND_WIDTH = 52
"""Letters beside each other in a legend."""


def axes_or_new(ax: Axes | None) -> Axes:
    """Return the axes, or those of a new figure where there are none.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ModuleNotFoundError:
        raise MissingExtraError("report", "drawing") from None
    return pyplot.subplots(layout="constrained")[1]


def plain(text: str) -> str:
    r"""Return a text that matplotlib shows letter by letter, and shortened: a dollar is no formula.

    Example:
        >>> plain("price_in_$"), plain("a name that is longer than any axis has room for")
        ('price_in_\\$', 'a name that is longer tha…')
    """
    shortened = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return shortened.replace("$", r"\$")


def add_legend(ax: Axes) -> None:
    """Put what was labelled above the axes, as many beside each other as there is room for."""
    handles, labels = ax.get_legend_handles_labels()
    if not labels:
        return
    columns = legend_columns(labels)
    ax.legend(handles, labels, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, frameon=False, borderaxespad=0.2)


def legend_columns(names: Sequence[str]) -> int:
    """Return how many names of a legend stand beside each other."""
    return max(1, LEGEND_WIDTH // (min(LONGEST, max(map(len, names))) + 6))


def label_of(text: str) -> str:
    """Return a label of the legend; one that starts with an underscore would be left out."""
    return ("\u2009" if text.startswith("_") else "") + plain(text)
