"""The colours of all pictures, by meaning."""

from __future__ import annotations

from collections.abc import Sequence

SERIES = ("#2f6fde", "#c96a00", "#168a5b", "#c2417e", "#7b5bd6", "#0b8793", "#96601a", "#667085")
"""Of tasks, experts, models: in this order, repeated if there are more."""
ACCENT = "#3b7de8"
"""Of weights, similarities and other numbers that are never below 0."""
BETTER, WORSE, EVEN = "#17955f", "#d2483f", "#77808f"
"""Of changes for the better, for the worse, and of changes that may be chance."""
GUIDE = "#9aa3b2"
"""Of reference lines."""
MORE, LESS = "#3578e0", "#b9741c"
"""Of weights above and below what even weights would be: neither is better."""
DASHES, MARKERS = ("-", "--", "-.", ":"), ("o", "s", "^", "D", "v")
"""Second marks: where colours repeat, lines differ by dash and marker."""
FULL = 0.72
"""How opaque the strongest colour of a heat map is: the numbers in the cells stay readable."""


def series(index: int) -> str:
    """Return the colour of a task, expert or model by its position; see :func:`line_style` for a second mark."""
    return SERIES[index % len(SERIES)]


def line_style(index: int) -> dict[str, str]:
    """Return colour, dash and marker of a task, expert or model by its position; no two of the first 40 are alike."""
    turn = index // len(SERIES)
    return {
        "color": series(index),
        "linestyle": DASHES[turn % len(DASHES)],
        "marker": MARKERS[turn % len(MARKERS)],
    }


def shades(colour: str) -> list[tuple[str, float]]:
    """Return the ends of a colour map from transparent to a colour, so that any background shines through."""
    return [(colour, 0.0), (colour, FULL)]


def opposed(below: str, above: str) -> list[tuple[float, tuple[str, float]]]:
    """Return the stops of a colour map between two colours, transparent in the middle."""
    fullest: Sequence[tuple[float, str, float]] = (
        (0.0, below, FULL),
        (0.5, below, 0.0),
        (0.5, above, 0.0),
        (1.0, above, FULL),
    )
    return [(place, (colour, opacity)) for place, colour, opacity in fullest]
