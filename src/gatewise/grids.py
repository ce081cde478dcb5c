"""Results as tables of text: printed, and as HTML in notebooks.

A result says its tables once (:class:`Grid`); :func:`text_of` prints them, :func:`html_of` writes them for a notebook,
in the notebook's own colours, light or dark, without any file or script.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, Protocol, TypeVar

HALF = 12
"""Letters in the longest bar to one side."""
STYLE = (
    "<style>.gatewise table{border-collapse:collapse;color:inherit;background:none;margin:.2em 0 .8em}"
    ".gatewise th,.gatewise td{padding:.15em .7em;text-align:left;color:inherit;background:none;"
    "border-bottom:1px solid rgba(128,128,128,.35)}"
    ".gatewise .number{text-align:right;font-variant-numeric:tabular-nums}"
    ".gatewise .bar{font-family:monospace;white-space:pre}"
    ".gatewise p{margin:.2em 0;opacity:.75}.gatewise b{opacity:1}</style>"
)


@dataclass(frozen=True)
class Grid:
    """A table of text.

    Attributes:
        headings: one per column; all empty: no line of headings.
        rows: one cell per column each.
        title: a line above.
        note: a line below.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    note: str = ""

    @property
    def numeric(self) -> list[bool]:
        """Whether each column holds numbers, which are aligned at the right."""
        return [
            any(row[place] for row in self.rows) and all(_is_number(row[place]) for row in self.rows)
            for place in range(len(self.headings))
        ]

    def text(self) -> str:
        """Return the table as lines of text.

        Example:
            >>> print(Grid(["metric", "click"], [["auc", "0.7123"], ["log_loss", "0.41"]]).text())
            metric     click
            auc       0.7123
            log_loss    0.41
        """
        lines = [list(row) for row in self.rows]
        if any(self.headings):
            lines.insert(0, list(self.headings))
        widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
        numeric = self.numeric
        body = [
            "  ".join(map(_padded, line, widths, numeric)).rstrip() if len(line) > 1 else line[0].rstrip()
            for line in lines
        ]
        return "\n".join([*([self.title] if self.title else []), *body, *([self.note] if self.note else [])])

    def html(self) -> str:
        """Return the table as HTML; whatever stands in it is escaped."""
        numeric = self.numeric
        above = f"<p><b>{escape(self.title)}</b></p>" if self.title else ""
        below = f"<p>{escape(self.note)}</p>" if self.note else ""
        head = "".join(map(_cell("th"), self.headings, numeric)) if any(self.headings) else ""
        body = "".join(f"<tr>{''.join(map(_cell('td'), row, numeric))}</tr>" for row in self.rows)
        table = f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{body}</tbody></table>"
        return above + (table if self.rows else "") + below


T = TypeVar("T")


class Shown(Protocol):
    """Anything that says its tables."""

    def grids(self) -> list[Grid]:
        """Return the tables."""


def text_of(shown: Shown) -> str:
    """Return the tables of a result as text, for ``__str__``."""
    return "\n\n".join(grid.text() for grid in shown.grids())


def html_of(shown: Shown) -> str:
    """Return the tables of a result as HTML, for ``_repr_html_``."""
    return f"{STYLE}<div class='gatewise'>{''.join(grid.html() for grid in shown.grids())}</div>"


def printed_as_tables(cls: type[T]) -> type[T]:
    """Make a class that says its tables print as them, and show them in notebooks."""
    made: Any = cls
    made.__str__, made._repr_html_ = text_of, html_of
    return cls


Key = TypeVar("Key")


@printed_as_tables
class ShownList(list[T]):
    """A list that prints as tables.

    Args:
        items: the items.
        grids: returns the tables of all items.
    """

    def __init__(self, items: Sequence[T], grids: Callable[[Any], list[Grid]]) -> None:
        super().__init__(items)
        self._grids = grids

    def grids(self) -> list[Grid]:
        """Return the tables."""
        return self._grids(self)


@printed_as_tables
class ShownDict(dict[Key, T]):
    """A dict that prints as tables.

    Args:
        items: the items.
        grids: returns the tables of all items.
    """

    def __init__(self, items: dict[Key, T], grids: Callable[[Any], list[Grid]]) -> None:
        super().__init__(items)
        self._grids = grids

    def grids(self) -> list[Grid]:
        """Return the tables."""
        return self._grids(self)


def number(value: float | None, form: str = ".4f") -> str:
    """Return a number as text; None: undefined.

    Example:
        >>> number(0.5), number(-0.5, "+.2f"), number(None)
        ('0.5000', '-0.50', 'undefined')
    """
    return "undefined" if value is None else format(value, form)


def bar(share: float) -> str:
    """Return a bar to the left of the middle for a share below 0, to the right for one above.

    Example:
        >>> print(bar(-0.5))
              ██████|
    """
    full = "█" * round(HALF * abs(share))
    return f"{full:>{HALF}}|" if share < 0 else f"{'':{HALF}}|{full}"


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "") or "0")
    except ValueError:
        return text in ("undefined", "–") or text.startswith("±")
    return True


def _width(text: str) -> int:
    """Return the columns that a text takes at a terminal; East Asian letters take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int, at_the_right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if at_the_right else text + space


def _cell(tag: str) -> Callable[[str, bool], str]:
    def made(text: str, number: bool) -> str:
        kind = " class='number'" if number else " class='bar'" if "█" in text or text.strip() == "|" else ""
        return f"<{tag}{kind}>{escape(text)}</{tag}>"

    return made
