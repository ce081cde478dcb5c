"""A hook of mkdocs: formulas become MathML, which browsers draw by themselves, without a script from elsewhere."""

from __future__ import annotations

import html
import re
from typing import Any

from latex2mathml.converter import convert

FORMULA = re.compile(r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<tex>.*?)\\[)\]]</(?P=tag)>', re.DOTALL)


def on_page_content(content: str, **_: Any) -> str:
    """Return a page with its formulas as MathML."""
    return FORMULA.sub(_drawn, content)


def _drawn(found: re.Match[str]) -> str:
    display = "block" if found["tag"] == "div" else "inline"
    return f'<{found["tag"]} class="formula">{convert(html.unescape(found["tex"]), display=display)}</{found["tag"]}>'
