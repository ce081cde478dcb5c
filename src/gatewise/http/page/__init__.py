"""A page to try a model by hand: one file that sends requests to its own service only."""

from __future__ import annotations

from functools import cache
from importlib import resources

SCRIPTS = ("state", "values", "form", "ranking", "why", "sliders", "start")
"""The parts of the script, in order: each uses what the ones before it define."""


@cache
def page() -> str:
    """Return the HTML page, with style and script inside."""
    folder = resources.files(__name__)
    text, style = ((folder / name).read_text("utf-8") for name in ("page.html", "page.css"))
    script = "\n".join((folder / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    return text.replace("/* style */", style).replace("/* script */", script)
