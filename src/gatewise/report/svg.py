"""Pictures as SVG within a page: text stays text, and colours are the page's, light or dark."""

from __future__ import annotations

import io
import math
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Callable, Collection
from typing import Any

from gatewise.errors import MissingExtraError
from gatewise.plots.axes import PLAIN_STYLE, shortened
from gatewise.report.themes import LIGHT

INCH = 72
"""Points per inch in matplotlib's SVG; a point is a pixel of the picture."""
PAD, GAP = 3, 5
"""Pixels around the axes with their names, and between numbers and axes."""
SHORT = 8
"""Most letters of a name that fits below its tick."""
DIGIT, LINE, LEGEND_LINE = 6.4, 17, 14.5
"""Pixels of a digit, of a line of text, and of a line of a legend."""
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


def draw(
    picture: Callable[..., object], title: str, name: str, width: int, height: int, names: Collection[str] = ()
) -> str:
    """Return a picture as the markup of an SVG.

    Args:
        picture: draws on the axes ``ax``.
        title: the text for screen readers.
        name: a prefix for the ids of the picture's parts, unique within the page.
        width: the width in pixels.
        height: the height in pixels.
        names: texts that the picture may show shortened; the whole name is shown where a reader points at it.

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
        matplotlib.rcdefaults()
        style: Any = STYLE | {"svg.hashsalt": name}
        matplotlib.rcParams.update(style)
        figure = Figure(figsize=(width / INCH, height / INCH), dpi=INCH)
        ax = figure.add_subplot()
        picture(ax=ax)
        _fit(figure, ax)
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    return for_page(file.getvalue(), title, names)


def _fit(figure: Any, ax: Any) -> None:
    """Let the axes with their names and legend fill the figure.

    NOTE: matplotlib's constrained layout takes half of the time of a drawing, because it lays out any grid of axes, and
    measuring all texts takes a third. Where both axes have numbers, their digits are counted instead.
    """
    left, right, below, above = _of_numbers(ax) or _measured(figure, ax)
    width, height = figure.bbox.width, figure.bbox.height
    # names that leave little room are not an error
    left, below = min(left, 0.7 * width) / width, min(below, 0.7 * height) / height
    across, up = max(1 - left - right / width, 0.2), max(1 - below - above / height, 0.2)
    ax.set_position([left, below, across, up])


def _of_numbers(ax: Any) -> tuple[float, float, float, float] | None:
    """Return the margins in pixels of axes with numbers: left, right, below, above; None: they have other names."""
    from matplotlib.ticker import ScalarFormatter

    up, across = ax.yaxis.get_major_formatter(), ax.xaxis.get_major_formatter()
    if not isinstance(up, ScalarFormatter):
        return None
    names = [] if isinstance(across, ScalarFormatter) else across.format_ticks(ax.xaxis.get_majorticklocs())
    if max(map(len, names), default=0) > SHORT:
        return None
    digits = max(map(len, up.format_ticks(ax.yaxis.get_majorticklocs())), default=0)
    legend = ax.get_legend()
    lines = 0 if legend is None else math.ceil(len(legend.get_texts()) / legend._ncols)
    left = PAD + DIGIT * digits + GAP + (LINE if ax.get_ylabel() else 0)
    return left, 4 * PAD, PAD + LINE + (LINE if ax.get_xlabel() else 0), 2 * PAD + GAP + LEGEND_LINE * lines


def _measured(figure: Any, ax: Any) -> tuple[float, float, float, float]:
    """Return the margins in pixels that names, legend and labels of the axes take up."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    renderer = canvas.get_renderer()
    # what is drawn within the axes, such as the numbers of a heat map, takes no room beside them
    beside = [] if ax.get_legend() is None else [ax.get_legend()]
    inner, outer = ax.get_window_extent(renderer), ax.get_tightbbox(renderer, bbox_extra_artists=beside)
    ends = (inner.x0 - outer.x0, outer.x1 - inner.x1, inner.y0 - outer.y0, outer.y1 - inner.y1)
    left, right, below, above = (end + PAD for end in ends)
    return left, right, below, above


def for_page(markup: str, title: str, names: Collection[str] = ()) -> str:
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
    _add_whole_names(root, names)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", title)
    return ET.tostring(root, encoding="unicode")


def _add_whole_names(root: ET.Element, names: Collection[str]) -> None:
    whole = {short: name for name in names if (short := shortened(name)) != name}
    for text in root.iter(f"{SVG}text"):
        if (name := whole.get((text.text or "").strip())) is not None:
            ET.SubElement(text, f"{SVG}title").text = name


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
