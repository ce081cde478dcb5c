"""Pictures as SVG within a page: text stays text, and colours are the page's, light or dark."""

from __future__ import annotations

import io
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

from gatewise.errors import MissingExtraError
from gatewise.plots.axes import PLAIN_STYLE
from gatewise.report.themes import LIGHT

INCH = 72
"""Points per inch in matplotlib's SVG; a point is a pixel of the picture."""
NAMESPACES = {"": "http://www.w3.org/2000/svg", "xlink": "http://www.w3.org/1999/xlink"}
SVG = f"{{{NAMESPACES['']}}}"
PAINTED, PLACED = ("style", "fill", "stroke"), ("d", "x", "y", "width", "height", "transform", "points")
VARIABLES = {value: f"var(--{name})" for name, value in LIGHT.items()}
STYLE: dict[str, Any] = {
    **PLAIN_STYLE,
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "legend.fontsize": 9.5,
    "axes.labelsize": 9.5,
    "text.color": LIGHT["ink"],
    "axes.labelcolor": LIGHT["quiet"],
    "xtick.color": LIGHT["line"],
    "ytick.color": LIGHT["line"],
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "xtick.labelcolor": LIGHT["quiet"],
    "ytick.labelcolor": LIGHT["quiet"],
    "axes.edgecolor": LIGHT["line"],
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
    """Return a picture as the markup of an SVG.

    Args:
        picture: draws on the axes ``ax``.
        title: the text for screen readers.
        name: a prefix for the ids of the picture's parts, unique within the page.
        width: the width in pixels.
        height: the height in pixels.

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
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from|plots: no installed font")
        # names that leave little room are not an error
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        matplotlib.rcdefaults()
        style: Any = STYLE | {"svg.hashsalt": name}
        matplotlib.rcParams.update(style)
        figure = Figure(figsize=(width / INCH, height / INCH), layout="constrained")
        picture(ax=figure.add_subplot())
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return for_page(file.getvalue(), title)


def for_page(markup: str, title: str) -> str:
    """Return matplotlib's SVG without styles and metadata, its colours as variables of the page's style."""
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
        for name, value in part.attrib.items():
            part.set(name, _themed(value) if name in PAINTED else _rounded(value) if name in PLACED else value)
    _slim(root)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", title)
    return ET.tostring(root, encoding="unicode")


def _slim(part: ET.Element) -> None:
    """Remove white space, invisible parts, rotations by 0, and groups without attributes."""
    kept: list[ET.Element] = []
    for child in part:
        _slim(child)
        child.tail = None
        if child.attrib.get("style") == "fill:none":
            continue
        if child.get("transform", "").startswith("rotate(-0 "):
            del child.attrib["transform"]
        bare = child.tag in (f"{SVG}g", f"{SVG}defs") and not child.attrib
        kept += list(child) if bare and child.tag == f"{SVG}g" else [] if bare and not len(child) else [child]
    part[:] = kept
    if len(part):
        part.text = None


def _rounded(numbers: str) -> str:
    """Return coordinates to a tenth of a pixel, without spaces around letters."""
    short = re.sub(r"-?\d+\.\d+", lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), numbers)
    return re.sub(r"\s*([A-Za-z])\s*", r"\1", " ".join(short.split()))


def _themed(style: str) -> str:
    style = re.sub(r"font-family: [^;]*;? ?", "", re.sub(r"font: ([^;]*?px) [^;]*", r"font-size: \1", style))
    style = re.sub(r"(opacity: 0\.\d{2})\d+", r"\1", style)
    style = re.sub(r"([:;]) ", r"\1", re.sub(r"stroke-line(cap|join): \w+;? ?", "", style))
    return re.sub(r"#[0-9a-f]{6}\b", lambda found: VARIABLES.get(found[0], found[0]), style)
