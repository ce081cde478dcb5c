"""What a report is made of: sections of facts, tables, figures and notes, all of them plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

LONG = 40
"""Letters of a text from which on it is broken into lines."""
WIDE = 420
"""Pixels from which on a figure has the page's width to itself."""
Tone = Literal["", "good", "bad", "quiet"]


@dataclass(frozen=True)
class Cell:
    """A value that is shown in its own way.

    Attributes:
        value: text, a number, or None for what is undefined.
        tone: its colour.
        signed: whether a number above 0 has a plus sign.
    """

    value: str | float | None
    tone: Tone = ""
    signed: bool = False

    @property
    def shown(self) -> str:
        """The value as a reader sees it."""
        return shown(self.value, signed=self.signed)

    @property
    def raw(self) -> str | None:
        """What it is sorted by: a number in full, nothing for what is undefined; None for a text."""
        return None if isinstance(self.value, str) else "" if self.value is None else repr(self.value)

    @property
    def classes(self) -> str:
        """How it looks."""
        kind = ("long" if len(self.value) > LONG else "") if isinstance(self.value, str) else "number"
        return " ".join(name for name in (kind, self.tone) if name)


Value: TypeAlias = str | float | Cell | None


@dataclass(frozen=True)
class Table:
    """Rows of values under headings; a reader sorts by any of them.

    Attributes:
        headings: of the columns.
        rows: as many values each.
        note: what has to be said of it.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[Value]]
    note: str = ""

    @property
    def cells(self) -> list[list[Cell]]:
        """All values as cells."""
        return [[as_cell(value) for value in row] for row in self.rows]

    @property
    def numeric(self) -> list[bool]:
        """Which columns hold numbers alone."""
        return [all(cell.raw is not None for cell in column) for column in zip(*self.cells, strict=True)] or [
            False for _ in self.headings
        ]


@dataclass(frozen=True)
class Figure:
    """A picture and the numbers that it is drawn from.

    Attributes:
        title: what it shows.
        svg: the picture, as markup.
        numbers: behind it.
        width: pixels that it was drawn for.
    """

    title: str
    svg: str
    numbers: Table
    width: int

    @property
    def is_wide(self) -> bool:
        """Whether it needs the page's width."""
        return self.width > WIDE

    @property
    def least_width(self) -> int:
        """Pixels below which a reader scrolls rather than read smaller text."""
        return round(0.95 * self.width) if self.is_wide else 0

    @property
    def most_width(self) -> int:
        """Pixels above which text would be larger than the page's."""
        return round(1.45 * self.width)


@dataclass(frozen=True)
class Figures:
    """Pictures beside each other where there is room."""

    figures: Sequence[Figure]
    title: str = ""
    note: str = ""
    kind: ClassVar[str] = "figures"


@dataclass(frozen=True)
class Facts:
    """Names and values, such as options."""

    facts: Sequence[tuple[str, Value]]
    title: str = ""
    kind: ClassVar[str] = "facts"

    @property
    def cells(self) -> list[tuple[str, Cell]]:
        """All values as cells."""
        return [(name, as_cell(value)) for name, value in self.facts]


@dataclass(frozen=True)
class Note:
    """A sentence, or a problem with its remedy."""

    text: str
    tone: Tone = "quiet"
    remedy: str = ""
    title: str = ""
    kind: ClassVar[str] = "note"


@dataclass(frozen=True)
class Titled:
    """A table under a title; folded away under a few words where it is long."""

    title: str
    table: Table
    folded: str = ""
    kind: ClassVar[str] = "table"


Block: TypeAlias = Facts | Figures | Note | Titled


@dataclass(frozen=True)
class Tile:
    """One number that is seen first."""

    name: str
    value: Value
    note: str = ""

    @property
    def cell(self) -> Cell:
        """The value as a cell."""
        return as_cell(self.value)


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        name: what links point to.
        title: of the part.
        intro: how to read it.
        blocks: from top to bottom.
    """

    name: str
    title: str
    intro: str = ""
    blocks: Sequence[Block] = field(default_factory=list)


@dataclass(frozen=True)
class Page:
    """A whole report."""

    title: str
    subtitle: str
    tiles: Sequence[Tile]
    sections: Sequence[Section]


def as_cell(value: Value) -> Cell:
    """Return a value as a cell."""
    return value if isinstance(value, Cell) else Cell(value)


def shown(value: str | float | None, *, signed: bool = False) -> str:
    """Return a value as text: whole numbers as they are, others with about four digits.

    Example:
        >>> [shown(value) for value in (12345, 0.123456, 0.0000123, 1234.5, None)]
        ['12,345', '0.1235', '1.2e-05', '1,234.5', '–']
        >>> shown(0.5, signed=True)
        '+0.5000'
    """
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:+,}" if signed else f"{value:,}"
    size = abs(value)
    form = ",.1f" if size >= 100 else ".1e" if 0 < size < 5e-4 else ".4f"
    return format(value, f"+{form}" if signed else form)
