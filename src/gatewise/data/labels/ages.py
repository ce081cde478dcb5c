"""Ages of rows: which labels are final by a moment, and which became final since another one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gatewise.data.tables import pick_column, stream_table
from gatewise.data.times import seconds_of, seconds_of_numbers
from gatewise.data.values import as_numbers
from gatewise.declare import Binary, Instant, Schema, Task, length_of, path_to
from gatewise.errors import DeclarationError, TableError

Moments = Mapping[str, float]
"""By column of times, a moment in the column's unit: in seconds since 1970, unless delays by it are numbers."""


@dataclass(frozen=True)
class AsOf:
    """The moment at which labels are read.

    Attributes:
        now: labels of rows that are younger than their task's delay at this moment are not known yet.
        since: labels that were final at this earlier moment were learnt already; None: none were.
    """

    now: Moments
    since: Moments | None = None


def times_of_labels(schema: Schema) -> dict[str, Task]:
    """Return every column from which ages are measured, with a task that reads it."""
    return {task.time: task for task in reversed(schema.tasks) if task.time is not None}


def newest(schema: Schema, tables: Iterable[pa.Table]) -> dict[str, float]:
    """Return the newest time of every column from which ages are measured; -inf for a column without times.

    Raises:
        TableError: a column is missing, or does not hold times.
    """
    found = dict.fromkeys(times_of_labels(schema), -np.inf)
    for table in tables:
        for column, task in times_of_labels(schema).items():
            times = read_times(table, column, task)
            found[column] = max(found[column], float(np.nanmax(times, initial=-np.inf)))
    return found


def at(schema: Schema, now: Instant) -> dict[str, float]:
    """Return a given moment in the unit of every column from which ages are measured.

    Raises:
        TableError: the moment is not a time, or not of the kind of a column.
    """
    found = {}
    for column, task in times_of_labels(schema).items():
        what = f"now {str(now)!r} for delays by {column!r}"
        if not isinstance(task.delay, str):
            if isinstance(now, bool) or not isinstance(now, int | float):
                raise TableError(f"{what}: expected a number, as the delay {task.delay:g} is one")
            found[column] = float(now)
            continue
        if isinstance(now, str):
            # a text that is a number is one: options of the command line are texts
            now = float(now) if now.replace(".", "", 1).isdigit() else now
        values = pa.array([now])
        numbers = not isinstance(now, str) and isinstance(now, int | float)
        seconds = seconds_of_numbers(np.array([now], np.float64)) if numbers else seconds_of(values)
        if seconds is None:
            raise TableError(f"{what}: expected a date, a time or seconds since 1970, such as 2026-05-04")
        found[column] = float(seconds[0])
    return found


def read_at(schema: Schema, source: Any, now: Instant | None = None) -> AsOf | None:
    """Return the moment at which the labels of a source are read: the given one, or its newest time.

    Args:
        schema: the tasks.
        source: any table that can be read repeatedly; of its columns, only those of times are read.
        now: the moment, if it is given.

    Returns:
        The moment; None where no task has a ``delay``.

    Raises:
        DeclarationError: a moment is given, and no task has a ``delay``.
        TableError: see :func:`at` and :func:`newest`.
    """
    columns = list(times_of_labels(schema))
    if not columns:
        if now is not None:
            raise DeclarationError(f"now {str(now)!r} is the moment for tasks with a delay, and no task has one")
        return None
    return AsOf(newest(schema, stream_table(source, columns)) if now is None else at(schema, now))


def read_times(table: pa.Table, column: str, task: Task) -> np.ndarray:
    """Return times, float64 ``[row]``, NaN for null: in seconds since 1970, or as they are for a delay without unit.

    Raises:
        TableError: the column is missing or does not hold times; names task and column.
    """
    purpose = f"time of task {task.name!r}"
    values = pick_column(table, column, purpose)
    if pa.types.is_null(values.type):
        return np.full(len(values), np.nan)
    numeric = pa.types.is_integer(values.type) or pa.types.is_floating(values.type) or pa.types.is_decimal(values.type)
    if numeric:
        numbers, missing = as_numbers(values, purpose)
        numbers = np.where(missing, np.nan, numbers)
        if not isinstance(task.delay, str) or not len(numbers) or missing.all():
            return numbers
        seconds = seconds_of_numbers(numbers)
        if seconds is None:
            hint = "expected seconds since 1970 for a delay such as '3d'; give the delay as a number of that unit"
            raise TableError(f"{purpose}: column {column!r} holds numbers from {np.nanmin(numbers):g} on: {hint}")
        return seconds
    times = seconds_of(values) if _can_be_times(values.type) else None
    if times is None:
        raise TableError(f"{purpose}: column {column!r} holds {values.type}, expected times")
    if not isinstance(task.delay, str):
        raise TableError(f"{purpose}: column {column!r} holds times, expected a delay such as '3d', not {task.delay:g}")
    return times


def _can_be_times(dtype: pa.DataType) -> bool:
    texts = pa.types.is_string(dtype) or pa.types.is_large_string(dtype)
    return texts or pa.types.is_date(dtype) or pa.types.is_timestamp(dtype)


def aged(
    schema: Schema, labels: Mapping[str, np.ndarray], table: pa.Table, as_of: AsOf | None
) -> tuple[dict[str, np.ndarray], np.ndarray | None]:
    """Return labels as they are known at a moment, and which of them became final since an earlier one.

    A label of a row that is younger than its task's delay becomes NaN. A step of a funnel waits for the steps before,
    too, and where it is final and the step before was not taken, it is 0. A task with a ``late`` of its own keeps its
    labels and gets the rows' ages, and the waits of ones, in delays.

    Args:
        schema: the tasks.
        labels: settled labels of every task.
        table: the rows.
        as_of: the moment; None: the table's newest time.

    Returns:
        The labels, and bool ``[row, task]``, or None without an earlier moment.
    """
    waiting = {task.name: task for task in schema.tasks if task.delay is not None}
    if not waiting:
        return dict(labels), _nothing_new(schema, table.num_rows, as_of)
    as_of = as_of or AsOf(newest(schema, [table]))
    ages = {name: _ages(task, table, as_of.now) for name, task in waiting.items()}
    before = None if not as_of.since else {name: _ages(task, table, as_of.since) for name, task in waiting.items()}
    found, fresh = {}, np.zeros((table.num_rows, len(schema.tasks)), bool)
    for place, task in enumerate(schema.tasks):
        owners = [name for name in (*path_to(task, schema.tasks_by_name), task.name) if name in waiting]
        own = labels[task.name]
        if owners:
            final = _all_final(ages, owners)
            fresh[:, place] = final if before is None else final & ~_all_final(before, owners)
            own = _with_age(task, own, table, ages[task.name]) if _keeps(task) else _only(own, final)
            own = _zero_outside(schema, task, own, labels, final)
        found[task.name] = own
    return found, fresh if as_of.since is not None else None


def _nothing_new(schema: Schema, rows: int, as_of: AsOf | None) -> np.ndarray | None:
    return None if as_of is None or as_of.since is None else np.zeros((rows, len(schema.tasks)), bool)


def _ages(task: Task, table: pa.Table, now: Moments) -> np.ndarray:
    """Return ages in delays; NaN for a row without a time."""
    assert task.time is not None
    assert task.delay is not None
    ages: np.ndarray = (now.get(task.time, -np.inf) - read_times(table, task.time, task)) / length_of(task.delay)
    return ages


def _all_final(ages: Mapping[str, np.ndarray], names: Iterable[str]) -> np.ndarray:
    final: np.ndarray = np.logical_and.reduce([ages[name] >= 1 for name in names])
    return final


def _keeps(task: Task) -> bool:
    return isinstance(task, Binary) and task.late != "wait"


def _only(labels: np.ndarray, final: np.ndarray) -> np.ndarray:
    """Return labels ``[row, column]`` whose first column is NaN where it is not final."""
    found = labels.copy()
    found[~final, 0] = np.nan
    return found


def _zero_outside(
    schema: Schema, task: Task, own: np.ndarray, labels: Mapping[str, np.ndarray], final: np.ndarray
) -> np.ndarray:
    """Return labels of a step, or of a value after one, that are 0 in final rows that left the funnel before it."""
    path = path_to(task, schema.tasks_by_name)
    if path:
        came = labels[path[0]][:, 0]
        for step in path[1:]:
            came = np.where(came == 1, labels[step][:, 0], came)
        own[final & (came == 0) & np.isnan(own[:, 0]), 0] = 0
    return own


def _with_age(task: Task, labels: np.ndarray, table: pa.Table, ages: np.ndarray) -> np.ndarray:
    """Return ``[row, 3]``: labels as they stand at the moment, ages from 0 to 1, and the waits of ones or NaN."""
    assert isinstance(task, Binary)
    assert task.time is not None
    waits = np.full(table.num_rows, np.nan)
    ones = labels[:, 0] == 1
    if task.seen is not None:
        assert task.delay is not None
        column = pick_column(table, task.seen, f"seen of task {task.name!r}")
        if not pa.types.is_null(column.type) and pc.count(column).as_py():
            seen, times = read_times(table, task.seen, task), read_times(table, task.time, task)
            waits = np.where(ones, (seen - times) / length_of(task.delay), np.nan)
    early = np.flatnonzero(waits < 0)
    if len(early):
        raise TableError(f"seen of task {task.name!r}: row {early[0]} has it before its {task.time!r}")
    # a one that came behind the delay, or comes behind the moment, is not one
    late = (waits > 1) | (waits > ages)
    known = np.where(late, 0.0, labels[:, 0])
    known[np.isnan(ages) | (ages < 0)] = np.nan
    return np.stack([known, np.clip(ages, 0, 1), np.where(late, np.nan, waits)], axis=1)
