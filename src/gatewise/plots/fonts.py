"""Fonts for names in any script: what the usual font lacks is drawn in another installed one."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, ParamSpec

from gatewise.errors import GatewiseWarning

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

P = ParamSpec("P")
PREFERRED = ("Noto Sans CJK", "Source Han Sans", "PingFang", "Hiragino Sans", "Microsoft YaHei", "WenQuanYi", "SimHei")
"""Beginnings of the names of fonts to take first, where several have a character."""


def in_any_script(draw: Callable[P, Axes]) -> Callable[P, Axes]:
    """Make a function draw names that its font lacks, such as Chinese ones, in an installed font that has them.

    Warns:
        GatewiseWarning: no installed font has a character of a name; says which package to install.
    """

    @functools.wraps(draw)
    def drawn(*args: P.args, **options: P.kwargs) -> Axes:
        ax = draw(*args, **options)
        for text in _texts(ax):
            _fit(text)
        return ax

    return drawn


def _texts(ax: Axes) -> Iterator[Text]:
    yield from (ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts)
    from matplotlib.ticker import ScalarFormatter

    for axis in (ax.xaxis, ax.yaxis):
        # numbers need no other font, and asking for them lays out the axis once more
        if not isinstance(axis.get_major_formatter(), ScalarFormatter):
            yield from axis.get_ticklabels()
    legend = ax.get_legend()
    if legend is not None:
        yield from (legend.get_title(), *legend.get_texts())


def _fit(text: Text) -> None:
    """Add the fonts that a text needs to its font families."""
    unusual = {character for character in text.get_text() if ord(character) > 0x24F and not character.isspace()}
    if not unusual:
        return
    from matplotlib.font_manager import findfont

    own = text.get_fontproperties()
    lacking = _lacking(findfont(own), unusual)
    found = {_font_with(character) for character in sorted(lacking)}
    if None in found:
        _warn(sorted(character for character in lacking if _font_with(character) is None))
    names = sorted(name for name in found if name is not None)
    if names:
        text.set_fontfamily([*own.get_family(), *names])


def _lacking(path: str, characters: Iterable[str]) -> set[str]:
    """Return the characters that a font does not have."""
    from matplotlib.font_manager import get_font

    font = get_font(path)
    return {character for character in characters if font.get_char_index(ord(character)) == 0}


@functools.lru_cache(maxsize=4096)
def _font_with(character: str) -> str | None:
    """Return the name of an installed font that has a character; new fonts are looked for, too."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    found = _among_known(character)
    if found is not None:
        return found
    known = {entry.fname for entry in fontManager.ttflist}
    for path in set(findSystemFonts()) - known:
        try:
            fontManager.addfont(path)
        except (OSError, RuntimeError):
            # matplotlib cannot read every kind of font
            continue
    return _among_known(character)


def _among_known(character: str) -> str | None:
    from matplotlib.font_manager import fontManager

    def rank(name: str) -> tuple[int, str]:
        places = [place for place, start in enumerate(PREFERRED) if name.startswith(start)]
        return min(places, default=len(PREFERRED)), name

    names = {entry.name for entry in fontManager.ttflist if "Last Resort" not in entry.name}
    return next((name for name in sorted(names, key=rank) if _has(name, character)), None)


def _has(name: str, character: str) -> bool:
    from matplotlib.font_manager import findfont

    try:
        return not _lacking(findfont(name, fallback_to_default=False), character)
    except (OSError, RuntimeError, ValueError):
        # the file is gone, or it is a kind of font that matplotlib cannot read
        return False


@functools.lru_cache(maxsize=1)
def _warned() -> set[str]:
    return set()


def _warn(characters: list[str]) -> None:
    """Warn once about every character that no installed font has."""
    new = [character for character in characters if character not in _warned()]
    if not new:
        return
    _warned().update(new)
    shown = "".join(new[:8])
    warnings.warn(
        f"plots: no installed font has {shown!r}, which is drawn as boxes; install one, such as Noto Sans CJK "
        "(on Debian and Ubuntu: apt install fonts-noto-cjk)",
        GatewiseWarning,
        stacklevel=4,
    )
