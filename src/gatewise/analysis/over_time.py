"""Labels and predictions by day."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
from torch import Tensor

from gatewise.analysis.cuts import cut_table
from gatewise.data import pick_column
from gatewise.errors import TableError
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
    if not len(times.drop_null()):
        return None
    times = _as_times(times)
    known, days = times.drop_null(), _as_days(times)
    cuts = cut_table(pa.table({column: days}), [column], bins=DAYS)
    ends = pc.min_max(known).as_py()
    judged = {output: rows for output, rows in predicted.judged().items() if rows.predictions.dim() == 1}
    found: dict[str, list[Period]] = {output: [] for output in judged}
    for _, when, chosen in cuts:
        for output, rows in judged.items():
            labels, predictions = rows.labels[chosen], rows.predictions[chosen]
            labelled = ~labels.isnan()
            if count := int(labelled.sum()):
                counted = None if rows.weights is None else rows.weights[chosen][labelled].double()
                means = (_mean(values[labelled].double(), counted) for values in (labels, predictions))
                found[output].append(Period(str(when), count, *means))
    return OverTime(column, str(ends["min"]), str(ends["max"]), found)


def _mean(values: Tensor, counted: Tensor | None) -> float:
    return float(values.mean() if counted is None else values @ counted / counted.sum())


def rows_by_day(table: pa.Table, column: str) -> list[tuple[str, pa.Table]]:
    """Return the rows of every day, in order of time, with what the day is called.

    Args:
        table: rows in memory.
        column: a column of dates, times, seconds or milliseconds since 1970; every other value, such as the whole
            number 20220501 or the text 2022-W18, is a period of its own.

    Raises:
        TableError: the table has no such column, or it holds lists or nulls, or numbers that are not whole.
    """
    where = f"time {column!r}"
    times = pick_column(table, column, where)
    if pa.types.is_nested(times.type) or pa.types.is_floating(times.type):
        raise TableError(f"{where}: expected dates, times, whole numbers or text, found {times.type}")
    if times.null_count:
        raise TableError(f"{where}: {times.null_count:,} rows have no time: leave them out")
    days = _as_days(_as_times(times))
    distinct = days.dictionary_encode() if not pa.types.is_dictionary(days.type) else days
    codes, values = distinct.indices.to_numpy(), distinct.dictionary
    order = pc.sort_indices(values).to_pylist()
    present = [place for place in order if (codes == place).any()]
    return [(str(values[place].as_py()), table.filter(pa.array(codes == place))) for place in present]


def _as_days(times: pa.Array) -> pa.Array:
    """Return the days of times; anything else as it is."""
    return times.cast(pa.date32(), safe=False) if pa.types.is_timestamp(times.type) else times


def _as_times(times: pa.Array) -> pa.Array:
    """Return whole numbers that count seconds or milliseconds since 1970 as times; anything else as it is."""
    if pa.types.is_integer(times.type) and len(known := times.drop_null()):
        ends = pc.min_max(known).as_py()
        for unit, per_second in EPOCHS.items():
            if FROM * per_second <= ends["min"] and ends["max"] < UNTIL * per_second:
                return times.cast(pa.int64()).cast(pa.timestamp(unit))
    return times
