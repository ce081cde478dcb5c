"""From a function that draws to a figure of the page."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from gatewise.report.blocks import Figure, Table
from gatewise.report.svg import draw

WIDTH, HEIGHT = 320, 215
"""Of a picture that fits a phone."""
CELL_WIDTH, CELL_HEIGHT = 40, 24
LETTER = 6.2


def figure(
    title: str, picture: Callable[..., object], numbers: Table, *, width: int = WIDTH, height: int = HEIGHT
) -> Figure:
    """Return a picture with the numbers that it is drawn from."""
    return Figure(title, draw(picture, title, title, width, height), numbers, width)


def matrix_figure(
    title: str, picture: Callable[..., object], numbers: Table, rows: Sequence[str], columns: Sequence[str]
) -> Figure:
    """Return a picture of a matrix, as large as its names and cells need."""
    beside = LETTER * min(26, max(map(len, rows), default=0)) + 20
    longest = min(26, max(map(len, columns), default=0))
    below = 24 if longest * len(columns) <= 40 else 24 + 0.65 * LETTER * longest
    width = max(WIDTH, beside + max(CELL_WIDTH, LETTER * 5) * len(columns))
    height = CELL_HEIGHT * len(rows) + below + 12
    return figure(title, picture, numbers, width=math.ceil(width), height=math.ceil(max(height, 90)))
