"""Parts of a report: sections of facts, tables, figures and notes, all of them plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, TypeAlias

from gatewise.plots.axes import width_of

LONG = 40
"""Texts of more letters are broken into lines."""
WIDE = 340
"""Figures of more pixels are scrolled on a phone, not made smaller."""
SCALE = 1.1
"""Largest scale of a picture, where there is room."""
CUT, TAIL = 30, 12
"""Names of more letters give way in the middle; how many letters at their end stay."""
SEARCHED = 15
"""Tables of more rows have a box to search them."""
Tone = Literal["", "good", "bad", "quiet", "main"]


@dataclass(frozen=True)
class Cell:
    """A value with its format.

    Attributes:
        value: text, a number, or None for what is undefined.
        tone: the colour of the value.
        signed: whether a number above 0 has a plus sign.
        beside: a text after the value, which sorting ignores.
        hint: a text that is shown where a reader points at the value.
        digits: the number of digits after the point; None: about four digits in all.
        picks: the task that a click on the value chooses.
    """

    value: str | float | None
    tone: Tone = ""
    signed: bool = False
    beside: str = ""
    hint: str = ""
    digits: int | None = None
    picks: str = ""

    @property
    def shown(self) -> str:
        """The formatted value."""
        if self.digits is None or not isinstance(self.value, float):
            return shown(self.value, signed=self.signed) + self.beside
        return format(self.value, f"{'+' if self.signed else ''},.{self.digits}f") + self.beside

    @property
    def raw(self) -> str | None:
        """The sort key: a number to nine digits, an empty text for an undefined value; None for a text."""
        return None if isinstance(self.value, str) else "" if self.value is None else f"{self.value:.9g}"

    @property
    def ends(self) -> tuple[str, str] | None:
        """A long name in two parts, of which the first gives way where there is no room; None: not a long name."""
        name = self.value if isinstance(self.value, str) else ""
        if width_of(name) <= CUT or any(character.isspace() for character in name):
            return None
        tail = len(name) // 2 if len(name) < CUT else TAIL
        return name[:-tail], name[-tail:]

    @property
    def classes(self) -> str:
        """The CSS classes of the cell."""
        is_long = isinstance(self.value, str) and len(self.value) > LONG and self.ends is None
        cut = "cut" if self.ends is not None else ""
        return " ".join(name for name in ("long" if is_long else "", cut, self.tone) if name)


Value: TypeAlias = str | float | Cell | None


@dataclass(frozen=True)
class Table:
    """Rows of values under headings, sortable by any column.

    Attributes:
        headings: the names of the columns.
        rows: one value per heading each.
        note: a sentence about the table.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[Value]]
    note: str = ""

    @property
    def cells(self) -> list[list[Cell]]:
        """All values as cells."""
        return [[as_cell(value) for value in row] for row in self.rows]

    @property
    def searched(self) -> bool:
        """Whether the table is long enough for a box to search it."""
        return len(self.rows) > SEARCHED

    @property
    def numeric(self) -> list[bool]:
        """Whether each column holds numbers only."""
        return [all(cell.raw is not None for cell in column) for column in zip(*self.cells, strict=True)] or [
            False for _ in self.headings
        ]


@dataclass(frozen=True)
class Figure:
    """A picture and the numbers that it is drawn from.

    Attributes:
        title: the subject of the picture.
        svg: the picture, as markup.
        numbers: the numbers behind the picture.
        width: the picture's width in pixels.
        task: the task that the picture is of; empty: not of a single one.
    """

    title: str
    svg: str
    numbers: Table
    width: int
    task: str = ""

    @property
    def least_width(self) -> int:
        """Least width in pixels; on a narrower screen a reader scrolls."""
        return self.width if self.width > WIDE else 0

    @property
    def most_width(self) -> int:
        """Width in pixels at which the picture's text has the page's size."""
        return round(SCALE * self.width)


@dataclass(frozen=True)
class Figures:
    """Pictures beside each other where there is room."""

    figures: Sequence[Figure]
    title: str = ""
    note: str = ""
    task: str = ""
    kind: ClassVar[str] = "figures"


@dataclass(frozen=True)
class Facts:
    """Names and values, such as options."""

    facts: Sequence[tuple[str, Value]]
    title: str = ""
    task: str = ""
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
    task: str = ""
    kind: ClassVar[str] = "note"


@dataclass(frozen=True)
class Titled:
    """A table under a title; a long one is folded away under a few words."""

    title: str
    table: Table
    folded: str = ""
    task: str = ""
    kind: ClassVar[str] = "table"


@dataclass(frozen=True)
class Code:
    """A text to be copied, such as a command or a recipe."""

    text: str
    title: str = ""
    folded: str = ""
    task: str = ""
    kind: ClassVar[str] = "code"


Block: TypeAlias = Code | Facts | Figures | Note | Titled


@dataclass(frozen=True)
class Tile:
    """A number at the top of the page."""

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
        name: the target of links.
        title: the heading.
        intro: how to read the section.
        blocks: the content, from top to bottom.
        folded: whether the section is folded away until a reader opens it.
    """

    name: str
    title: str
    intro: str = ""
    blocks: Sequence[Block] = field(default_factory=list)
    folded: bool = False


@dataclass(frozen=True)
class Page:
    """A whole report.

    Attributes:
        title: the heading.
        subtitle: a line below it.
        tiles: numbers at the top.
        sections: the parts, from top to bottom.
        matrices: tables at the top, where numbers are too many for tiles.
        picked: tasks of which a reader looks at one at a time; empty: all are shown.
    """

    title: str
    subtitle: str
    tiles: Sequence[Tile]
    sections: Sequence[Section]
    matrices: Sequence[Titled] = ()
    picked: Sequence[str] = ()


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
    form = ",.1f" if size >= 100 else ".2f" if size >= 10 else ".1e" if 0 < size < 5e-5 else ".4f"
    return format(value, f"+{form}" if signed else form)
