"""Pictures as part of a page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from gatewise import plots
from gatewise.history import EpochRecord
from gatewise.plots.colours import FULL, SERIES
from gatewise.report.svg import draw
from gatewise.report.themes import DARK, LIGHT

SVG = "{http://www.w3.org/2000/svg}"


def picture(name: str, rows: list[str]) -> str:
    values = [[0.1 * k, 1 - 0.1 * k] for k in range(len(rows))]
    return draw(lambda *, ax: plots.heat_map(values, rows, ["a", "b"], ax=ax), name, name, 300, 200)


def luminance(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def blended(colour: str, opacity: float, below: str) -> str:
    parts = [[int(c[k : k + 2], 16) for c in (colour, below)] for k in (1, 3, 5)]
    return "#" + "".join(f"{round(opacity * top + (1 - opacity) * under):02x}" for top, under in parts)


def test_text_stays_text_and_is_escaped():
    names = ["<b>&", "#2f6fde", "标签_评分", "$a$"]
    markup = picture("heat", names)
    assert "<b>" not in markup
    shown = [part.text for part in ET.fromstring(markup).iter(f"{SVG}text")]
    assert set(names) <= set(shown)


def test_every_colour_is_one_of_the_page():
    root = ET.fromstring(picture("heat", ["x", "y"]))
    styles = " ".join(part.get(name, "") for part in root.iter() for name in ("style", "fill", "stroke"))
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", styles.replace("url(#", "")) == []
    assert set(re.findall(r"var\(--([\w-]+)\)", styles)) <= {*LIGHT, "font"}


def curve(name: str) -> str:
    history = [EpochRecord(epoch, 0.1, 1, 1, {"click": {"loss": 1 / epoch}}, best=epoch == 2) for epoch in (1, 2, 3)]
    return draw(lambda *, ax: plots.learning_curve(history, "click", ax=ax), name, name, 300, 200)


def test_nothing_reaches_beyond_the_picture():
    one, other = curve("one"), curve("other")
    ids = [re.findall(r' id="([^"]+)"', markup) for markup in (one, other)]
    assert ids[0]
    assert not set(ids[0]) & set(ids[1])
    for markup in (one, other):
        assert "<style" not in markup
        assert set(re.findall(r'http[^"]*', markup)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
        wanted = re.findall(r'(?:href="|url\()#([\w-]+)', markup)
        assert set(wanted) == set(re.findall(r' id="([^"]+)"', markup))


def test_a_picture_depends_on_its_data_alone():
    assert picture("same", ["x", "y"]) == picture("same", ["x", "y"])


def test_a_notebook_s_style_does_not_leak_in():
    import matplotlib

    before = picture("same", ["x", "y"])
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert picture("same", ["x", "y"]) == before
        assert matplotlib.rcParams["font.size"] == 30


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_on_every_background(theme):
    fullest = [blended(theme[name], FULL, theme["card"]) for name in ("accent", "better", "worse")]
    for background in (theme["page"], theme["card"], theme["warned"], *fullest):
        assert contrast(theme["ink"], background) >= 4.5
    for text in ("quiet", "link", "good", "bad"):
        assert min(contrast(theme[text], theme[name]) for name in ("page", "card")) >= 4.5
    lines = [theme[f"c{index}"] for index in range(len(SERIES))]
    assert min(contrast(line, theme["card"]) for line in lines) >= 3


def test_themes_have_the_same_names():
    assert LIGHT.keys() == DARK.keys()
    # two colours of one value could not be told apart in a picture
    assert len(set(LIGHT.values())) == len(LIGHT)
