"""From a page to one HTML file that loads nothing."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from importlib.util import find_spec

from gatewise.errors import MissingExtraError
from gatewise.report.blocks import Page
from gatewise.report.themes import DARK, LIGHT
from gatewise.version import __version__


def check_extra() -> None:
    """Refuse to begin a report that could not be finished.

    Raises:
        MissingExtraError: matplotlib or jinja2 is not installed.
    """
    if find_spec("matplotlib") is None or find_spec("jinja2") is None:
        raise MissingExtraError("report", "a report")


def render(page: Page) -> str:
    """Return the HTML of a page; names and values of tables are escaped, and only the page's own script can run.

    Raises:
        MissingExtraError: matplotlib or jinja2 is not installed.
    """
    check_extra()
    from jinja2 import Environment, StrictUndefined

    here = files("gatewise.report")
    html, style, script = (here.joinpath(f"page.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(html)
    return template.render(
        page=page, style=style, script=script, script_hash=digest, light=LIGHT, dark=DARK, version=__version__
    )
