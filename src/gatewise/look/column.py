"""What a column holds, in plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["whole", "number", "truth", "text", "time", "list", "vector", "empty", "unreadable"]
QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True)
class Column:
    """A column of a table, measured on the sample.

    Attributes:
        name: the column's name.
        kind: ``whole`` numbers, other numbers (``number``), ``truth``, ``text``, ``time``, ``list``, ``vector``,
            ``empty`` (nulls only) or ``unreadable``.
        dtype: the type as Arrow calls it.
        rows: rows of the sample.
        nulls: rows without a value.
        distinct: distinct values in the sample.
        values: distinct values in the whole table, estimated where the sample is a part of it.
        rows_per_value: rows of the whole table per distinct value, on average.
        frequent: the most frequent values, as text, each with its rows.
        quantiles: least, 5 %, 25 %, median, 75 %, 95 % and greatest of numbers and, as seconds since 1970, of times.
        mean: mean of numbers.
        zeros: rows that are 0.
        runs: how often the value changes from row to row, plus 1.
        rises: whether no value is below the value of the row before, and some are above it.
        length: longest list, or mean number of words of a text.
        separator: the text between items of a list that is written as text.
        items: distinct items of a list.
        problem: why the column cannot be read.
    """

    name: str
    kind: Kind
    dtype: str
    rows: int
    nulls: int = 0
    distinct: int = 0
    values: int = 0
    rows_per_value: float = 0.0
    frequent: tuple[tuple[str, int], ...] = ()
    quantiles: tuple[float, ...] = ()
    mean: float | None = None
    zeros: int = 0
    runs: int = 0
    rises: bool = False
    length: float = 0.0
    separator: str = ""
    items: int = 0
    problem: str = ""

    @property
    def known(self) -> int:
        """Rows with a value."""
        return self.rows - self.nulls

    @property
    def least(self) -> float:
        """The least number."""
        return self.quantiles[0]

    @property
    def greatest(self) -> float:
        """The greatest number."""
        return self.quantiles[-1]

    @property
    def median(self) -> float:
        """The median of numbers."""
        return self.quantiles[len(self.quantiles) // 2]

    @property
    def share_of_zeros(self) -> float:
        """Share of the values that are 0."""
        return self.zeros / max(self.known, 1)

    @property
    def most_frequent_share(self) -> float:
        """Share of the values that are the most frequent one."""
        return self.frequent[0][1] / max(self.known, 1) if self.frequent else 0.0

    @property
    def is_number(self) -> bool:
        """Whether the values are numbers."""
        return self.kind in ("whole", "number")

    @property
    def is_long_tailed(self) -> bool:
        """Whether few numbers are many times as large as most."""
        q95 = self.quantiles[-2]
        return self.greatest > 10 * max(q95, 1e-9) or q95 > 10 * self.median > 0

    @property
    def is_zero_or_one(self) -> bool:
        """Whether the values are 0 and 1, or false and true."""
        whole = self.kind == "whole" and self.distinct == 2 and self.least == 0 and self.greatest == 1
        return whole or (self.kind == "truth" and self.distinct == 2)
