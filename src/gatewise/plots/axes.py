"""Axes to draw on, and texts as matplotlib takes them."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gatewise.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLAIN_STYLE = {"axes.spines.top": False, "axes.spines.right": False, "svg.fonttype": "none"}
"""Matplotlib's options for pictures in files: two spines, and text that stays text."""
LONGEST = 26
"""Most letters of a name; a longer name is cut in the middle, because names often differ at their ends."""
LEGEND_WIDTH = 52
"""Letters in one line of a legend."""


def axes_or_new(ax: Axes | None) -> Axes:
    """Return the given axes, or by default those of a new figure.

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


def axis_text(text: str) -> str:
    r"""Return a shortened text that matplotlib shows letter by letter: a dollar does not begin a formula.

    Example:
        >>> axis_text("price_in_$"), axis_text("a name that is longer than any axis has room for")
        ('price_in_\\$', 'a name that i…has room for')
    """
    return shortened(text).replace("$", r"\$")


def shortened(text: str, longest: int = LONGEST) -> str:
    """Return a text with an ellipsis in place of its middle, where it is wider than ``longest`` letters.

    Example:
        >>> shortened("user_profile_aggregate_of_affinity_016")
        'user_profile_…affinity_016'
    """
    if width_of(text) <= longest:
        return text
    head, tail = _within(text, longest // 2), _within(text[::-1], (longest - 1) // 2)[::-1]
    return f"{head}…{tail}"


def width_of(text: str) -> int:
    """Return the width of a text in letters; characters such as Chinese ones count for two."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _within(text: str, width: int) -> str:
    """Return the beginning of a text, as wide as there is room for."""
    while width_of(text) > width:
        text = text[: max(len(text) - max((width_of(text) - width) // 2, 1), 0)]
    return text


def add_legend(ax: Axes) -> None:
    """Put a legend above the axes, with as many names per line as there is room for."""
    handles, labels = ax.get_legend_handles_labels()
    if not labels:
        return
    columns = legend_columns(labels)
    ax.legend(handles, labels, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, frameon=False, borderaxespad=0.2)


def legend_columns(names: Sequence[str]) -> int:
    """Return the number of names per line of a legend."""
    return max(1, LEGEND_WIDTH // (min(LONGEST, max(map(width_of, names))) + 6))


def label_of(text: str) -> str:
    """Return a label for the legend, which would leave out a name that starts with an underscore."""
    return ("\u2009" if text.startswith("_") else "") + axis_text(text)
