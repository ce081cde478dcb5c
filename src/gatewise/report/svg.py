"""Pictures as SVG that is part of a page: text stays text, and colours are the page's, light or dark."""

from __future__ import annotations

import io
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

from gatewise.errors import MissingExtraError
from gatewise.plots import colours
from gatewise.report.themes import LIGHT

INCH = 72
"""Points of matplotlib's SVG, which are the picture's own pixels."""
NAMESPACES = {"": "http://www.w3.org/2000/svg", "xlink": "http://www.w3.org/1999/xlink"}
SVG = f"{{{NAMESPACES['']}}}"
STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "legend.fontsize": 9.5,
    "axes.labelsize": 9.5,
    "text.color": LIGHT["ink"],
    "axes.labelcolor": LIGHT["quiet"],
    "xtick.color": LIGHT["line"],
    "ytick.color": LIGHT["line"],
    "xtick.labelcolor": LIGHT["quiet"],
    "ytick.labelcolor": LIGHT["quiet"],
    "axes.edgecolor": LIGHT["line"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LIGHT["grid"],
    "grid.linewidth": 0.7,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "lines.linewidth": 1.6,
}


def draw(picture: Callable[..., object], title: str, name: str, width: int, height: int) -> str:
    """Return what is drawn on axes as the markup of an SVG.

    Args:
        picture: draws on the axes that it is given as ``ax``.
        title: what those hear who cannot see it.
        name: tells its parts from those of other pictures of the page.
        width: in pixels.
        height: in pixels.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise MissingExtraError("report", "drawing") from None
    file = io.StringIO()
    with matplotlib.rc_context(), warnings.catch_warnings():
        # names in scripts that the measuring font lacks: the reader's browser has them
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        matplotlib.rcdefaults()
        style: Any = STYLE | {"svg.hashsalt": name}
        matplotlib.rcParams.update(style)
        figure = Figure(figsize=(width / INCH, height / INCH), layout="constrained")
        picture(ax=figure.add_subplot())
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return for_page(file.getvalue(), title)


def for_page(markup: str, title: str) -> str:
    """Return matplotlib's SVG without what would reach beyond it, its colours as variables of the page's style."""
    for prefix, address in NAMESPACES.items():
        ET.register_namespace(prefix, address)
    root = ET.fromstring(markup)
    used = set(re.findall(r"#([\w-]+)", " ".join(value for part in root.iter() for value in part.attrib.values())))
    for part in root.iter():
        # styles would apply to the whole page, and metadata name addresses
        for child in [child for child in part if child.tag in (f"{SVG}metadata", f"{SVG}style")]:
            part.remove(child)
        if part.get("id") not in used:
            part.attrib.pop("id", None)
        for name in ("style", "fill", "stroke"):
            if name in part.attrib:
                part.set(name, _themed(part.attrib[name]))
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", title)
    return ET.tostring(root, encoding="unicode")


def _themed(style: str) -> str:
    style = re.sub(r"(font: [^;]*?px) [^;]*", r"\1 var(--font)", style)
    return re.sub(r"#[0-9a-f]{6}\b", lambda found: VARIABLES.get(found[0], found[0]), style)


VARIABLES = {value: f"var(--{name})" for name, value in LIGHT.items()}
assert len(VARIABLES) == len(LIGHT), "two colours of one value cannot be told apart in a picture"
assert {*colours.SERIES} <= VARIABLES.keys()
