"""What the columns of a table are for: labels, the time of a row, the group of a row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gatewise.data import is_a_year, seconds_of_numbers
from gatewise.errors import TableError, did_you_mean, shown
from gatewise.look import words
from gatewise.look.column import Column
from gatewise.look.label_kinds import task_of
from gatewise.look.measured import Measured

PANEL_ROWS = (1.5, 60.0)
"""Rows per value of a column whose values' rows lie together, such as the years of a person."""
PANEL_VALUES = 50
REQUEST_ROWS, PERSON_ROWS = 3.0, 1.5
"""Fewest rows of a group, on average."""
NO_ROLE = "none"
"""What a person types for no group or no time."""


@dataclass(frozen=True)
class Roles:
    """Columns that are no plain features.

    Attributes:
        labels: the labels, in the order of the table or as they were named.
        why_labels: why they are labels, in words.
        time: the time of the row; None: there is none.
        why_time: the reason.
        group: the group within which rows are compared, or that a split keeps whole; None: there is none.
        why_group: the reason.
        is_panel: whether the group was found by its rows lying together, and not by its name.
        dates: times of other things than the row.
        feedback: columns that are named like labels and are none of the labels.
    """

    labels: tuple[str, ...]
    why_labels: str = ""
    time: str | None = None
    why_time: str = ""
    group: str | None = None
    why_group: str = ""
    is_panel: bool = False
    dates: tuple[str, ...] = ()
    feedback: tuple[str, ...] = ()


def find_roles(
    found: Mapping[str, Measured],
    rows: int,
    labels: Sequence[str] | None = None,
    time: str | None = None,
    group: str | None = None,
) -> Roles:
    """Return what the columns are for; what is given is taken, the rest is proposed from names and values.

    Args:
        found: all columns, measured.
        rows: rows of the whole table.
        labels: names of the labels; None: proposed.
        time: the time of the row, or ``none``; None: proposed.
        group: the group of the row, or ``none``; None: proposed.

    Raises:
        TableError: a given column is not there; suggests the nearest.
    """
    for what, names in (("task", labels or ()), ("time", [time]), ("group", [group])):
        _check(what, [name for name in names if name not in (None, NO_ROLE)], found)
    seconds = {name: each for name, measured in found.items() if (each := row_seconds(measured)) is not None}
    when, why_time = (None if time == NO_ROLE else time, "as given") if time else _time(found, seconds)
    beside = {when, group, *seconds}
    candidates = [each.column for name, each in found.items() if name not in beside]
    named = [column.name for column in candidates if words.names_a_label(column.name) and _varies(column)]
    if labels is None:
        chosen, why = _labels(candidates, named, rows)
    else:
        chosen, why = tuple(labels), "as given"
    taken = {when, *chosen, *seconds}
    who, why_group, panel = (None if group == NO_ROLE else group, "as given", False) if group else _group(found, taken)
    return Roles(
        labels=chosen,
        why_labels=why,
        time=when,
        why_time=why_time,
        group=who,
        why_group=why_group,
        is_panel=panel,
        dates=tuple(name for name in seconds if name not in (when, *chosen)),
        feedback=tuple(name for name in named if name not in chosen),
    )


def row_seconds(measured: Measured) -> np.ndarray | None:
    """Return seconds since 1970 of a column of times, or of numbers that are times by name and value; else None."""
    column = measured.column
    if column.kind == "time":
        return measured.numbers
    said = set(words.words_of(column.name)) & (words.TIMES | words.NOT_OF_THE_EVENT)
    if column.kind != "whole" or not said or words.names_a_label(column.name) or measured.numbers is None:
        return None
    return seconds_of_numbers(measured.numbers)


def _varies(column: Column) -> bool:
    """Whether a column has several values, and does not only number the rows."""
    return column.distinct > 1 and not (column.rises and column.distinct == column.known)


def _check(what: str, names: Iterable[str | None], found: Mapping[str, Measured]) -> None:
    for name in names:
        if name is not None and name not in found:
            hint = did_you_mean(name, found) or f" (columns: {shown(found)})"
            raise TableError(f"{what} {name!r}: the table has no such column{hint}")


def _time(found: Mapping[str, Measured], seconds: Mapping[str, np.ndarray]) -> tuple[str | None, str]:
    """Return the column of the rows' times with the reason: a time by type, or a number that rises from row to row."""
    ranked: list[tuple[tuple[int, ...], str]] = []
    for name, measured in found.items():
        column, score = measured.column, words.time_score(name)
        if column.nulls or column.distinct < 3 or score < 0:
            continue
        if name in seconds:
            ranked.append(((2, score, column.distinct), name))
        elif column.is_number and column.rises and (score > 0 or _is_calendar(measured)):
            ranked.append(((1, score, column.distinct), name))
    if not ranked:
        return None, ""
    _, best = max(ranked, key=lambda each: each[0])
    rows = (
        "its values are times without nulls"
        if best in seconds
        else "it is a time by name, and the rows are in its order"
    )
    return best, rows


def _is_calendar(measured: Measured) -> bool:
    said = words.words_of(measured.column.name)
    return "year" in said and measured.numbers is not None and is_a_year(measured.numbers)


def _labels(candidates: list[Column], named: list[str], rows: int) -> tuple[tuple[str, ...], str]:
    able = {column.name for column in candidates if task_of(column, rows).task is not None}
    # the axes of a thing, and no label
    axes = {"x", "y", "z"} <= {column.name for column in candidates}
    chosen = tuple(name for name in named if name in able)
    if not chosen and not axes and "y" in able:
        chosen = ("y",)
    if chosen:
        return chosen, "their names say what happened"
    last = [column.name for column in candidates if column.name in able and not words.names_an_id(column.name)][-1:]
    return tuple(last), "no column is named like a label: this is the last one that can be one" if last else ""


def _group(found: Mapping[str, Measured], taken: set[str | None]) -> tuple[str | None, str, bool]:
    keys = [each.column for name, each in found.items() if name not in taken and each.column.kind in ("whole", "text")]
    keys = [column for column in keys if column.distinct > 1]
    requests = [c for c in keys if words.names_a_request(c.name) and c.rows_per_value >= REQUEST_ROWS]
    persons = [c for c in keys if words.names_a_person(c.name) and c.rows_per_value >= PERSON_ROWS]
    for what, named in (("request", requests), ("person", persons)):
        if named:
            best = max(named, key=lambda column: column.distinct)
            return best.name, f"the id of a {what} with {best.rows_per_value:,.1f} rows per value", False
    panels = [column for column in keys if _is_panel(column)]
    if panels:
        best = max(panels, key=lambda column: column.distinct)
        return best.name, f"the rows of each value lie together, {best.rows_per_value:,.1f} on average", True
    return None, "", False


def _is_panel(column: Column) -> bool:
    together = not column.nulls and column.runs <= 1.02 * column.distinct
    few = PANEL_ROWS[0] <= column.rows_per_value <= PANEL_ROWS[1]
    # texts lie together wherever a table is sorted by them
    kept = column.kind == "whole" or words.names_an_id(column.name)
    return kept and column.distinct >= PANEL_VALUES and together and few
