"""Matrices as fields of colour with their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gatewise.plots.axes import axes_or_new, plain
from gatewise.plots.colours import ACCENT, BETTER, WORSE, opposed, shades

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WRITTEN = 300
"""Cells up to which the numbers stand in them."""


def heat_map(
    values: Any,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    ax: Axes | None = None,
    signed: bool = False,
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
        signed: numbers above 0 are for the better, below for the worse; otherwise none is below 0.
        highest: what has the fullest colour; by default the greatest number, or the greatest size of a signed one.
        digits: after the point.
        written: ``[row, column]``, the numbers that stand in the cells where these are others than the colours'.

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
    steps: list[Any] = opposed(WORSE, BETTER) if signed else shades(ACCENT)
    colours = LinearSegmentedColormap.from_list("gatewise", steps)
    ax.pcolormesh(matrix, cmap=colours, vmin=-top if signed else 0.0, vmax=top)
    ax.set_xticks(np.arange(len(columns)) + 0.5, [plain(name) for name in columns])
    ax.set_yticks(np.arange(len(rows)) + 0.5, [plain(name) for name in rows])
    ax.invert_yaxis()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    if max(map(len, columns), default=0) * len(columns) > 40:
        ax.tick_params(axis="x", labelrotation=35)
        for label in ax.get_xticklabels():
            label.set(ha="right", rotation_mode="anchor")
    if matrix.size <= WRITTEN:
        numbers = matrix.filled(np.nan) if written is None else np.array(written, dtype=np.float64).reshape(shape)
        _write(ax, numbers, f"{'+' if signed else ''}.{digits}f")
    return ax


def _write(ax: Axes, numbers: np.ndarray, form: str) -> None:
    for (row, column), value in np.ndenumerate(numbers):
        if np.isfinite(value):
            ax.text(column + 0.5, row + 0.5, format(value, form), ha="center", va="center", fontsize="small")
