"""Names in scripts that the usual font lacks."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, fontManager, get_font

from gatewise.errors import GatewiseWarning
from gatewise.plots import fonts
from gatewise.plots.heat_map import heat_map
from gatewise.plots.history import lines

# a letter of a font that matplotlib brings, which its usual font lacks
RARE = "\u1d8a"
NOBODYS = "\ue8ff"
CHINESE = "点击"


def drawn(draw: Callable[..., Any], *args: Any) -> Figure:
    """Draw into a picture file; a box instead of a letter is an error."""
    figure = Figure()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Glyph .* missing")
        draw(*args, ax=figure.add_subplot())
        figure.savefig("/dev/null", format="png")
    return figure


@pytest.fixture(autouse=True)
def _anew() -> None:
    fonts._warned().clear()


def test_the_test_has_a_letter_that_the_usual_font_lacks() -> None:
    assert get_font(findfont("DejaVu Sans")).get_char_index(ord(RARE)) == 0


def test_names_take_an_installed_font_that_has_their_letters() -> None:
    figure = drawn(heat_map, [[1.0]], [f"task {RARE}"], [RARE])
    families = {label.get_text(): label.get_fontfamily() for label in figure.axes[0].get_yticklabels()}
    assert families[f"task {RARE}"][-1].startswith("STIX")


def test_usual_names_keep_the_style_of_the_axes() -> None:
    figure = drawn(
        heat_map,
        [[1.0]],
        [
            "click",
        ],
        ["prix d'été"],
    )
    assert {tuple(label.get_fontfamily()) for label in figure.axes[0].get_xticklabels()} == {("sans-serif",)}


def test_a_letter_that_no_font_has_is_said_once() -> None:
    with pytest.warns(GatewiseWarning, match=r"no installed font has .*apt install fonts-noto-cjk"):
        heat_map([[1.0]], [NOBODYS], ["e"], ax=Figure().add_subplot())
    # a second warning would be an error
    heat_map([[1.0]], [NOBODYS], ["e"], ax=Figure().add_subplot())


def test_legends_titles_and_axes_are_read_too() -> None:
    figure = Figure()
    ax = figure.add_subplot(title=RARE)
    lines([], {RARE: []}, ax=ax)
    assert ax.title.get_fontfamily()[-1].startswith("STIX")


def test_chinese_names_are_letters_and_not_boxes() -> None:
    if not any("CJK" in entry.name or "WenQuanYi" in entry.name for entry in fontManager.ttflist) and (
        fonts._font_with(CHINESE[0]) is None
    ):
        pytest.skip("needs a font with Chinese characters: apt-get install fonts-wqy-microhei")
    drawn(heat_map, [[1.0]], [CHINESE], ["专家"])
