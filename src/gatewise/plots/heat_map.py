"""Heat maps: matrices as coloured cells with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gatewise.plots.axes import axes_or_new, axis_text
from gatewise.plots.colours import ACCENT, BETTER, LESS, MORE, WORSE, opposed, shades
from gatewise.plots.fonts import in_any_script

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WRITTEN = 300
"""Most cells of a heat map with numbers in the cells."""


@in_any_script
def heat_map(
    values: Any,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    ax: Axes | None = None,
    signed: bool = False,
    even: bool = False,
    highest: float | None = None,
    digits: int = 2,
    written: Any = None,
) -> Axes:
    """Draw a matrix, the first row on top; NaN and None are left empty.

    Args:
        values: ``[row, column]``.
        rows: names of the rows.
        columns: names of the columns.
        ax: where to draw; a new figure by default.
        signed: whether numbers above 0 are for the better and below 0 for the worse; if not, none is below 0.
        even: whether numbers above and below 0 are more and less than an even share, of which neither is better.
        highest: the number of the fullest colour; by default the greatest absolute value.
        digits: the number of digits after the point.
        written: ``[row, column]``, the numbers in the cells, where they differ from those behind the colours.

    Example:
        >>> ax = heat_map([[0.9, 0.1], [0.3, 0.7]], ["click", "stars"], ["e0", "e1"])
        >>> [text.get_text() for text in ax.texts]
        ['0.90', '0.10', '0.30', '0.70']
    """
    ax = axes_or_new(ax)
    from matplotlib.colors import LinearSegmentedColormap

    shape = len(rows), len(columns)
    matrix = np.ma.masked_invalid(np.array(values, dtype=np.float64).reshape(shape))
    top = highest if highest is not None else float(np.abs(matrix).max() or 0.0) or 1.0
    steps: list[Any] = opposed(WORSE, BETTER) if signed else opposed(LESS, MORE) if even else shades(ACCENT)
    colours = LinearSegmentedColormap.from_list("gatewise", steps)
    ax.pcolormesh(matrix, cmap=colours, vmin=-top if signed or even else 0.0, vmax=top, clip_on=False)
    across, first = without_common(columns)
    ax.set_xticks(np.arange(len(columns)) + 0.5, [axis_text(name) for name in across])
    ax.set_xlabel(first)
    ax.set_yticks(np.arange(len(rows)) + 0.5, [axis_text(name) for name in rows])
    ax.invert_yaxis()
    ax.grid(visible=False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if is_crowded(across):
        ax.tick_params(axis="x", labelrotation=35)
        for label in ax.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    if matrix.size <= WRITTEN:
        numbers = matrix.filled(np.nan) if written is None else np.array(written, dtype=np.float64).reshape(shape)
        _write(ax, numbers, signed, digits)
    return ax


def without_common(names: Sequence[str]) -> tuple[list[str], str]:
    """Return names without the first word that they share, and this word.

    Example:
        >>> without_common(["expert 0", "expert 1"]), without_common(["click 0", "shared 0"])
        ((['0', '1'], 'expert'), (['click 0', 'shared 0'], ''))
    """
    words = [name.partition(" ") for name in names]
    if len({first for first, *_ in words}) != 1 or not all(rest for *_, rest in words):
        return list(names), ""
    return [rest for *_, rest in words], words[0][0]


def is_crowded(names: Sequence[str]) -> bool:
    """Return whether names beside each other have to be rotated."""
    return max(map(len, names), default=0) > 2 and sum(map(len, names)) > 34


def _write(ax: Axes, numbers: np.ndarray, signed: bool, digits: int) -> None:
    for (row, column), value in np.ndenumerate(numbers):
        if np.isfinite(value):
            # 0.0 is added so that no number is written as -0
            written = format(round(value, digits) + 0.0, f"{'+' if signed else ''}.{digits}f")
            ax.text(column + 0.5, row + 0.5, written, ha="center", va="center", fontsize="small")
