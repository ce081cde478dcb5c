"""Which feature a column becomes, or why it is left out."""

from __future__ import annotations

import re
from typing import NamedTuple

from gatewise.declare import Categorical, Feature, Numeric, Sequence, Vector
from gatewise.look import words
from gatewise.look.column import Column
from gatewise.look.label_kinds import percent
from gatewise.look.profile import Profile

FEW_ROWS = 10.0
"""Rows per value below which rare values share one row of the embedding table."""
MIN_COUNT = 5
NEARLY_UNIQUE = 1.3
"""Rows per value below which an id says nothing of other rows."""
FEW_OTHERS = 20
"""Rows with another value than the usual one, in the whole table, below which a column is as good as constant."""
WORDS, PROSE = 3.5, 0.3
"""Words of a text on average, and distinct texts per row, from which texts are prose and not categories."""
NEW = 0.95
"""Share of the latest rows with values that no earlier row has, from which an id is left out."""
MOST_OF_A_CALENDAR = 60
LISTED = 40
"""Most letters of values that are listed in a reason."""
LONG_LIST, KEPT_ITEMS = 100, 50
WIDTHS = ((2, 2), (10, 4), (1000, 8), (100_000, 16))
"""Width of an embedding by the largest number of values; of more values, the widest."""
WIDEST = 32
CODES, CODE_ROWS = 30, 100.0
"""Most values of whole numbers with gaps that are codes, and the fewest rows of each."""
LARGE = 1_000_000
"""Whole numbers that are all larger, and repeat, are ids."""


DATE = re.compile(r"\d{1,2}[/.]\d{1,2}[/.](\d{4}|\d{2})\b")


class Proposed(NamedTuple):
    """A feature, or None for a column that is left out, with the reason in words."""

    feature: Feature | None
    reason: str


def feature_of(column: Column, profile: Profile) -> Proposed | None:
    """Return the feature that a column becomes, or the reason why it is left out; None for a label.

    Args:
        column: the column.
        profile: the table's profile.
    """
    if column.name in [each.label for each in profile.tasks if each.task is not None]:
        return None
    reason = _why_not(column, profile)
    if reason:
        return Proposed(None, reason)
    return _feature(column, profile)


def width_of(values: int) -> int:
    """Return the width of an embedding of so many values.

    Example:
        >>> [width_of(values) for values in (2, 7, 300, 20_000, 5_000_000)]
        [2, 4, 8, 16, 32]
    """
    return next((width for most, width in WIDTHS if values <= most), WIDEST)


def _why_not(column: Column, profile: Profile) -> str:
    """Return why a column is left out; empty: it is not."""
    return _apart_from_others(column, profile) or _as_a_copy(column, profile)


def _apart_from_others(column: Column, profile: Profile) -> str:
    return _of_itself(column, profile) or _by_its_role(column, profile) or _as_an_id(column, profile)


def _as_a_copy(column: Column, profile: Profile) -> str:
    """Return which column that stays, or is the time, says what a column says; empty: none."""
    for duplicate in profile.relations.duplicates:
        if duplicate.column != column.name or not duplicate.exact:
            continue
        if duplicate.of == profile.roles.time:
            return f"{duplicate.how}, the time of the row"
        if not _apart_from_others(profile.by_name[duplicate.of], profile):
            return f"{duplicate.how}, which stays"
    return ""


def _of_itself(column: Column, profile: Profile) -> str:
    scale = profile.rows / max(profile.sampled, 1)
    if column.kind == "unreadable":
        return column.problem
    if column.kind == "empty":
        return "has no value in any row"
    if column.kind in ("list", "vector") and not column.separator:
        return "" if column.kind == "vector" or column.items else "all its lists are empty"
    usual = column.frequent[0][0]
    if column.distinct == 1 and not column.nulls:
        return f"is constant: {usual} in every row"
    if column.known * scale < FEW_OTHERS:
        return f"has a value in {column.known * scale:,.0f} rows only"
    others = (column.rows - column.frequent[0][1]) * scale
    if others < FEW_OTHERS and profile.rows > 10 * FEW_OTHERS:
        return f"is nearly constant: another value than {usual} in {others:,.0f} rows only"
    return ""


def _by_its_role(column: Column, profile: Profile) -> str:
    roles, relations, name = profile.roles, profile.relations, column.name
    if name == roles.time:
        return "is the time of the row: the test rows' are later than all others" + _date_parts(column)
    for each in profile.tasks:
        if each.label == name:
            return f"was to be a label, and {each.reason}"
    for leak in relations.leaks:
        if leak.column == name and leak.level == "decides":
            return f"LEAK? {leak.how}: known only after the event, or made of the label"
    if name in roles.feedback:
        return "is named like a label: what is known only after the event is no feature"
    if name in roles.dates:
        return "is a time: the time between it and the row would be a feature, and so would its hour and weekday"
    if words.words_of(name) in words.WEIGHTS:
        return "is named like a weight of the row: weight_column of a task uses it"
    if column.kind == "text" and 1 < column.distinct <= 4 and _names_parts(column):
        return "says which rows are for training and which for the test"
    return ""


def _date_parts(column: Column) -> str:
    return "; its hour and weekday would be features as columns of their own" if column.distinct > 400 else ""


def _names_parts(column: Column) -> bool:
    return {value.lower() for value, _ in column.frequent} <= words.PARTS_OF_TABLES


def _as_an_id(column: Column, profile: Profile) -> str:
    roles, name = profile.roles, column.name
    if name == profile.kept_whole:
        return "is the group that the split keeps whole: its values are new in the test rows"
    if name == roles.group and roles.is_panel:
        return "numbers the members of a panel, a few rows each"
    if words.names_a_request(name) and column.kind in ("whole", "text") and column.values > FEW_ROWS:
        return "is the id of a request or a session: the next one is new"
    is_text = column.kind == "text"
    unique = column.values >= 0.95 * column.known * profile.rows / max(profile.sampled, 1)
    counted = column.kind == "whole" and (column.rises or words.names_an_id(name) or not name)
    if unique and column.known > FEW_OTHERS and (is_text or counted):
        return "is unique per row"
    if is_text and column.length >= WORDS and column.distinct > PROSE * column.known:
        return f"is free text, {column.length:.0f} words on average: a text feature reads it with a language model"
    if is_text and column.frequent and all(DATE.match(value) for value, _ in column.frequent):
        return "holds dates in another form than 2024-05-31: written so, they can be the time of the row"
    if is_text and _is_bracketed(column):
        return "holds lists as Python or JSON write them: write a|b|c, or a list column of Parquet"
    if _is_key(column) and column.rows_per_value < NEARLY_UNIQUE:
        return f"has about {column.values:,} values with {column.rows_per_value:.1f} rows each: nearly unique per row"
    if _is_key(column) and profile.unseen.get(name, 0.0) >= NEW:
        return f"{profile.unseen[name]:.0%} of the latest rows have a value that no earlier row has"
    return ""


def _is_bracketed(column: Column) -> bool:
    return all(value.startswith("[") for value, _ in column.frequent)


def _is_key(column: Column) -> bool:
    """Whether values stand for things, and are no amounts."""
    if column.kind in ("text", "truth"):
        return True
    if column.kind != "whole":
        return False
    few = column.distinct == 2 and column.nulls < column.rows
    large = column.least >= LARGE and column.rows_per_value >= 2
    named = words.names_an_id(column.name) and not (
        column.values > MOST_OF_A_CALENDAR and words.words_of(column.name)[-1] in words.CALENDAR
    )
    return named or words.names_a_person(column.name) or few or large or _has_gaps(column)


def _has_gaps(column: Column) -> bool:
    span = column.greatest - column.least
    return (
        column.distinct <= CODES
        and span > 3 * column.distinct
        and column.rows_per_value >= CODE_ROWS
        and not any(
            word in words.AMOUNTS or word in ("year", "price", "income") for word in words.words_of(column.name)
        )
    )


def _feature(column: Column, profile: Profile) -> Proposed:
    doubt = "".join(f"; LEAK? {leak.how}" for leak in profile.relations.leaks if leak.column == column.name) + "".join(
        f"; {each.how}" for each in profile.relations.duplicates if each.column == column.name
    )
    nulls = f", {percent(column.nulls / column.rows)} null" if column.nulls else ""
    feature, reason = _kind_of(column, profile)
    return Proposed(feature, reason + nulls + doubt)


def _kind_of(column: Column, profile: Profile) -> tuple[Feature, str]:
    name = column.name
    if column.kind == "vector":
        return Vector(name, int(column.length)), f"{column.length:.0f} numbers per row"
    if column.kind == "list":
        return _sequence(column)
    if _is_key(column):
        return _categorical(column, profile)
    number = number_of(column)
    return number, _span(column) + (", a long tail" if number.transform == "log" else "")


def number_of(column: Column) -> Numeric:
    """Return the feature of a column of numbers; of no numbers at all, a plain one."""
    long_tail = bool(column.quantiles) and column.least >= 0 and column.is_long_tailed
    return Numeric(column.name, "log") if long_tail else Numeric(column.name)


def category_of(column: Column) -> Categorical:
    """Return the feature of a column of values that stand for things; rare values of many share one vector."""
    rare = column.rows_per_value < FEW_ROWS and column.values > FEW_ROWS
    width = width_of(column.values)
    return Categorical(column.name, width, MIN_COUNT) if rare else Categorical(column.name, width)


def sequence_of(column: Column) -> Sequence:
    """Return the feature of a column of lists; of long ones the last items are read."""
    most = KEPT_ITEMS if column.length > LONG_LIST else None
    return Sequence(column.name, width_of(column.items), separator=column.separator or "|", max_length=most)


def _span(column: Column) -> str:
    return f"{column.least:,.6g} to {column.greatest:,.6g}, median {column.median:,.6g}"


def _categorical(column: Column, profile: Profile) -> tuple[Feature, str]:
    about = "about " if profile.rows > profile.sampled and column.rows_per_value < 1000 else ""
    each = f"{column.rows_per_value:,.{0 if column.rows_per_value >= 100 else 1}f} rows each"
    listed = ", ".join(value for value, _ in column.frequent)
    few = column.values <= len(column.frequent) and len(listed) <= LISTED
    counted = "1 value" if column.values == 1 else f"{column.values} values"
    reason = f"{counted}: {listed}" if few else f"{about}{column.values:,} values, {each}"
    new = profile.unseen.get(column.name, 0.0)
    if new >= 0.05:
        reason += f", {new:.0%} of the latest rows have a new one"
    feature = category_of(column)
    return feature, f"{reason}: rare ones share a vector" if feature.min_count == MIN_COUNT else reason


def _sequence(column: Column) -> tuple[Feature, str]:
    feature = sequence_of(column)
    cut = (
        f", at most {column.length:.0f} per row"
        if feature.max_length is None
        else f", the last {KEPT_ITEMS} of at most {column.length:,.0f} are kept"
    )
    return feature, f"lists of {column.items:,} items{cut}"
