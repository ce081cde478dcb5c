"""The period of a table's rows, by the column from which delays of labels are measured."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

import numpy as np

from gatewise.data.labels.ages import read_times, times_of_labels
from gatewise.data.tables import stream_table
from gatewise.declare import Schema, Task


class Period(NamedTuple):
    """The earliest and the latest time of a table.

    Attributes:
        time: the column of times.
        begin, end: as text: a time in UTC or, where delays are numbers of another unit, a number.
        rows: number of rows, also of those without a time.
    """

    time: str
    begin: str
    end: str
    rows: int


def period_of(schema: Schema, source: Any) -> Period | None:
    """Return the period of a table's rows by the time of the first task with a ``delay``.

    Args:
        schema: the tasks.
        source: any table that can be read repeatedly; only the column of times is read.

    Returns:
        The period; None where no task has a ``delay``, or no row a time.

    Raises:
        TableError: the column is missing, or does not hold times.
    """
    columns = times_of_labels(schema)
    task = next((task for task in schema.tasks if task.time in columns), None)
    if task is None or task.time is None:
        return None
    begin, end, rows = np.inf, -np.inf, 0
    for piece in stream_table(source, [task.time]):
        times = read_times(piece, task.time, task)
        begin = min(begin, float(np.nanmin(times, initial=np.inf)))
        end = max(end, float(np.nanmax(times, initial=-np.inf)))
        rows += piece.num_rows
    return Period(task.time, _as_text(begin, task), _as_text(end, task), rows) if begin <= end else None


def _as_text(moment: float, task: Task) -> str:
    if not isinstance(task.delay, str):
        return f"{moment:.15g}"
    return str(datetime.datetime.fromtimestamp(moment, datetime.UTC).replace(tzinfo=None, microsecond=0))
