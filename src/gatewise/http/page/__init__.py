"""A page to try a model by hand: one file that sends requests to its own service only."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def page() -> str:
    """Return the HTML page, with style and script inside."""
    folder = resources.files(__name__)
    text, style, script = ((folder / name).read_text("utf-8") for name in ("page.html", "page.css", "page.js"))
    return text.replace("/* style */", style).replace("/* script */", script)
