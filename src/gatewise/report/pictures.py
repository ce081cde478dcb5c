"""From a function that draws to a figure of the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from gatewise.plots.axes import LONGEST, legend_columns, width_of
from gatewise.plots.heat_map import is_crowded, without_common
from gatewise.report.blocks import Figure, Table
from gatewise.report.svg import draw

WIDTH, HEIGHT = 320, 215
"""Pixels of a picture that fits a phone."""
CELL_WIDTH, CELL_HEIGHT = 33, 24
LETTER, LINE = 6.2, 17
WIDE_CELL = 50
"""Pixels of a cell whose number has four digits and a sign."""


def figure(
    title: str,
    picture: Callable[..., object],
    numbers: Table,
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
    legend: Sequence[str] = (),
    task: str = "",
) -> Figure:
    """Return a picture with its numbers; the names in a legend make the picture higher."""
    if legend:
        height += LINE * math.ceil(len(legend) / legend_columns(legend))
    return Figure(title, draw(picture, title, title, width, height, _names(numbers)), numbers, width, task)


def _names(numbers: Table) -> set[str]:
    """Return the texts behind a picture, which it may show shortened."""
    return {*numbers.headings, *(cell.value for row in numbers.cells for cell in row if isinstance(cell.value, str))}


def matrix_figure(
    title: str,
    picture: Callable[..., object],
    numbers: Table,
    rows: Sequence[str],
    columns: Sequence[str],
    cell: int = CELL_WIDTH,
) -> Figure:
    """Return a picture of a matrix, with room for its names and cells."""
    names, _ = without_common(columns)
    beside = LETTER * min(LONGEST, max(map(width_of, rows), default=0)) + 20
    below = 40 + (0.65 * LETTER * min(LONGEST, max(map(width_of, names))) if is_crowded(names) else 0)
    width = max(WIDTH, beside + cell * len(columns))
    height = CELL_HEIGHT * len(rows) + below + 12
    return figure(title, picture, numbers, width=math.ceil(width), height=math.ceil(max(height, 90)))
