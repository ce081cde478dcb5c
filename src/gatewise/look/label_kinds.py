"""Which kind of task a label is, by its values."""

from __future__ import annotations

from typing import NamedTuple

from gatewise.declare import Binary, Count, Duration, LifetimeValue, Multiclass, Ordinal, Regression, Task
from gatewise.look import words
from gatewise.look.column import Column

MOST_CLASSES = 50
MOST_LEVELS = 10
"""Levels of an ordinal task; of more, the order and the distance say as much."""
MANY_ZEROS = 0.3
SOME_ZEROS = 0.1
"""Share of zeros of amounts with a long tail that one number cannot follow."""
LARGE_COUNT, LARGEST_COUNT = 100, 10_000
"""What 95 % of the rows, and all rows, are below in what looks like a count."""
RARE = 30
"""Fewest rows of the rarer value of a binary label, in the whole table, from which it can be learnt."""


class Kinded(NamedTuple):
    """A task, or None, with the reason in words."""

    task: Task | None
    reason: str


def task_of(column: Column, rows: int) -> Kinded:
    """Return the task that a label's values ask for, or why there is none.

    Args:
        column: the label.
        rows: rows of the whole table.
    """
    unlabelled = f"; {_share(column.nulls, column.rows)} rows without it are not in its sample" if column.nulls else ""
    found = _task_of(column, rows)
    return Kinded(found.task, found.reason + (unlabelled if found.task is not None else ""))


def _task_of(column: Column, rows: int) -> Kinded:
    name = column.name
    if column.kind in ("list", "vector", "empty", "unreadable", "time"):
        return Kinded(None, f"holds {_held(column)}, which no kind of task predicts")
    if column.distinct < 2:
        return Kinded(None, "has one value only")
    if column.is_zero_or_one:
        return _binary(column, rows)
    if column.kind == "text" or (column.kind == "whole" and column.distinct == 2):
        if column.values > MOST_CLASSES:
            return Kinded(None, f"is text with about {column.values:,} values, too many for classes")
        values = " and ".join(value for value, _ in column.frequent) if column.distinct == 2 else ""
        found = f"the two values {values}, which are not 0 and 1" if values else f"{column.distinct} classes"
        return Kinded(Multiclass(name), found)
    if column.is_number and column.least >= 0 and words.names_a_duration(name):
        unit = 1000.0 if "ms" in words.words_of(name) else 1.0
        if column.share_of_zeros < MANY_ZEROS:
            return Kinded(Duration(name, unit=unit), f"a time of 0 to {column.greatest:,.6g}")
    if column.kind == "whole":
        return _of_whole_numbers(column)
    return _of_amounts(column)


def _binary(column: Column, rows: int) -> Kinded:
    ones = _ones(column)
    fewer = min(ones, column.known - ones) * rows / max(column.rows, 1)
    if fewer < RARE:
        return Kinded(None, f"the rarer of its values has about {fewer:,.0f} rows, too few to learn from")
    return Kinded(Binary(column.name), f"0 or 1, {_share(ones, column.known)} ones")


def _ones(column: Column) -> int:
    return sum(rows for value, rows in column.frequent if value in ("1", "True", "true"))


def _of_whole_numbers(column: Column) -> Kinded:
    least, greatest = column.least, column.greatest
    span = f"whole numbers from {least:,.0f} to {greatest:,.0f}"
    if least < 0:
        return Kinded(Regression(column.name), span)
    falls = column.frequent[0][0] == "0"
    levels = column.distinct <= MOST_LEVELS and greatest - least < 2 * column.distinct
    if levels and not falls and column.distinct > 2:
        return Kinded(Ordinal(column.name), f"{column.distinct} levels from {least:,.0f} to {greatest:,.0f}")
    small = column.quantiles[-2] <= LARGE_COUNT and greatest <= LARGEST_COUNT
    if least == 0 and small and not _two_ends(column):
        return Kinded(Count(column.name), f"{span}, {column.share_of_zeros:.0%} zeros")
    if least == 0 and column.share_of_zeros >= MANY_ZEROS and not _two_ends(column):
        return Kinded(LifetimeValue(column.name), f"{span}, {column.share_of_zeros:.0%} zeros")
    return Kinded(Regression(column.name), span)


def _two_ends(column: Column) -> bool:
    """Whether the greatest value is among the most frequent ones, as in weeks worked, which end at 52."""
    return column.distinct > 3 and any(value == f"{column.greatest:g}" for value, _ in column.frequent[:2])


def _of_amounts(column: Column) -> Kinded:
    span = f"numbers from {column.least:g} to {column.greatest:g}"
    zeros = SOME_ZEROS if column.is_long_tailed else MANY_ZEROS
    if column.least >= 0 and column.share_of_zeros >= zeros:
        return Kinded(LifetimeValue(column.name), f"amounts, {column.share_of_zeros:.0%} zeros")
    return Kinded(Regression(column.name), span)


def _held(column: Column) -> str:
    return {"list": "lists", "vector": "vectors", "empty": "no value", "time": "times"}.get(column.kind, column.dtype)


def _share(part: int, whole: int) -> str:
    return percent(part / max(whole, 1))


def percent(share: float) -> str:
    """Return a share as text.

    Example:
        >>> [percent(share) for share in (0.44, 0.017, 0.00083, 0.0)]
        ['44%', '1.7%', '0.08%', '0%']
    """
    if 0 < share < 0.0001:
        return "<0.01%"
    places = 0 if share >= 0.1 or share == 0 else 1 if share >= 0.01 else 2
    return f"{share:.{places}%}"
