"""Labels and predictions by day."""

from __future__ import annotations

from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from gatewise.analysis.cuts import cut_table
from gatewise.data import pick_column
from gatewise.tasks import Predicted

DAYS = 31
"""Most parts of the period: days, or more where there are more days."""


EPOCHS = {"s": 1, "ms": 1_000}
"""Units per second in which whole numbers count time."""
FROM, UNTIL = 946_684_800, 4_102_444_800
"""Seconds since 1970 at the beginning of 2000 and of 2100: whole numbers between them are times."""


class Period(NamedTuple):
    """The rows of some time with an output's label.

    Attributes:
        when: the day, or the first and the last day.
        rows: the number of labelled rows.
        label: the mean label: of a probability the share of ones.
        prediction: the mean prediction.
    """

    when: str
    rows: int
    label: float
    prediction: float


class OverTime(NamedTuple):
    """A table's time column.

    Attributes:
        column: its name.
        first, last: the ends of the period.
        periods: per output, its labels and predictions by day.
    """

    column: str
    first: str
    last: str
    periods: dict[str, list[Period]]


def over_time(predicted: Predicted, table: pa.Table, column: str) -> OverTime | None:
    """Return labels and predictions by day; None if the column holds no time.

    Args:
        predicted: rows with predictions and labels.
        table: the same rows.
        column: a column of dates, times or numbers that rise with time.

    Raises:
        TableError: the table has no such column, or it holds lists.
    """
    times = pick_column(table, column, f"time {column!r}")
    known = times.drop_null()
    if not len(known):
        return None
    times = _as_times(times, pc.min_max(known).as_py())
    known = times.drop_null()
    days = times.cast(pa.date32(), safe=False) if pa.types.is_timestamp(times.type) else times
    cuts = cut_table(pa.table({column: days}), [column], bins=DAYS)
    ends = pc.min_max(known).as_py()
    judged = {output: rows for output, rows in predicted.judged().items() if rows.predictions.dim() == 1}
    found: dict[str, list[Period]] = {output: [] for output in judged}
    for _, when, chosen in cuts:
        for output, rows in judged.items():
            labels, predictions = rows.labels[chosen], rows.predictions[chosen]
            labelled = ~labels.isnan()
            if count := int(labelled.sum()):
                means = (float(values[labelled].double().mean()) for values in (labels, predictions))
                found[output].append(Period(str(when), count, *means))
    return OverTime(column, str(ends["min"]), str(ends["max"]), found)


def _as_times(times: pa.Array, ends: dict[str, Any]) -> pa.Array:
    """Return whole numbers that count seconds or milliseconds since 1970 as times; anything else as it is."""
    if pa.types.is_integer(times.type):
        for unit, per_second in EPOCHS.items():
            if FROM * per_second <= ends["min"] and ends["max"] < UNTIL * per_second:
                return times.cast(pa.int64()).cast(pa.timestamp(unit))
    return times
