"""The page's colours by name, light and dark; pictures are drawn in the light ones."""

from __future__ import annotations

from gatewise.plots import colours

LIGHT = {
    "ink": "#1b2330",
    "quiet": "#566173",
    "line": "#c3cad6",
    "grid": "#e6eaf0",
    "page": "#f4f6f9",
    "card": "#ffffff",
    "link": "#1f5fc9",
    "good": "#0d7246",
    "bad": "#b3261e",
    "warned": "#fdf1ee",
    "accent": colours.ACCENT,
    "better": colours.BETTER,
    "worse": colours.WORSE,
    "even": colours.EVEN,
    "more": colours.MORE,
    "less": colours.LESS,
    "guide": colours.GUIDE,
    **{f"c{index}": colour for index, colour in enumerate(colours.SERIES)},
}
DARK = {
    "ink": "#e7ebf2",
    "quiet": "#a5afbf",
    "line": "#465063",
    "grid": "#2a3240",
    "page": "#0f131a",
    "card": "#181d27",
    "link": "#8ab4ff",
    "good": "#5fd39d",
    "bad": "#ff9a90",
    "warned": "#2d1e20",
    "accent": "#3a6fd0",
    "better": "#1f8a5c",
    "worse": "#b9463e",
    "even": "#8b95a5",
    "more": "#3b6cc9",
    "less": "#8f5c14",
    "guide": "#6f7a8d",
    "c0": "#6fa0ff",
    "c1": "#f0a04b",
    "c2": "#4cc794",
    "c3": "#ee82b4",
    "c4": "#ab94f5",
    "c5": "#4cc6d3",
    "c6": "#cf9a55",
    "c7": "#a4adbd",
}
"""Text on pages, cards and the fullest colours of heat maps has a contrast of 4.5 or more in both."""
