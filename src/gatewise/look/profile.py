"""A table in plain numbers: its columns, what they are for, and what they say about each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gatewise.data import DAY
from gatewise.declare import Binary, LifetimeValue, Task, column_of
from gatewise.errors import DeclarationError
from gatewise.look.column import Column
from gatewise.look.label_kinds import task_of
from gatewise.look.measured import Measured, measure
from gatewise.look.relations import Relations, relate
from gatewise.look.roles import Roles, find_roles, row_seconds
from gatewise.look.sample import ROWS, Sample, take_sample

LATEST = 0.2
"""Share of the rows, the latest ones, whose values are looked up among the earlier ones."""
KNOWN_ROWS, FEWEST_GROUPS = 20.0, 30
"""Rows per member of a group from which the member itself can be learnt, and the fewest groups that are split."""
MOST_DAYS = 120
"""Most periods of time that labels are counted by; of a longer time, several days are one period."""


@dataclass(frozen=True)
class LabelTask:
    """A label with the task that its values ask for, or without one, and the reason in words."""

    label: str
    task: Task | None
    reason: str


@dataclass(frozen=True)
class Period:
    """Rows of one period of time.

    Attributes:
        begins: its first day, such as 2022-05-03, or the value of a time that is no date.
        rows: rows of the sample.
        means: by label, the mean; a rate for labels of 0 and 1.
    """

    begins: str
    rows: int
    means: Mapping[str, float | None]


@dataclass(frozen=True)
class Profile:
    """A table in plain numbers.

    Attributes:
        name: the file's name, or ``table``.
        rows: rows of the whole table.
        sampled: rows that were looked at.
        columns: all columns, in the table's order.
        roles: labels, time and group.
        tasks: a task per label.
        relations: leaks, duplicates, funnels, correlation of labels.
        periods: labels by time; empty without a time.
        unseen: by column of ids, the share of the latest rows whose value no earlier row has.
    """

    name: str
    rows: int
    sampled: int
    columns: tuple[Column, ...]
    roles: Roles
    tasks: tuple[LabelTask, ...]
    relations: Relations
    periods: tuple[Period, ...]
    unseen: Mapping[str, float]

    @property
    def by_name(self) -> dict[str, Column]:
        """The columns by name."""
        return {column.name: column for column in self.columns}

    @property
    def kept_whole(self) -> str | None:
        """The group whose rows a split keeps together: there is no time, and its members have few rows each."""
        group = self.roles.group
        if group is None or self.roles.time is not None:
            return None
        column = self.by_name[group]
        few = self.roles.is_panel or column.rows_per_value < KNOWN_ROWS
        return group if few and column.values >= FEWEST_GROUPS else None


class Look:
    """A sample of a table, measured once; profiles for different labels, times and groups follow from it.

    Args:
        source: any table, see :func:`gatewise.data.read_table`.
        rows: largest number of rows that are looked at; they are drawn at random.

    Raises:
        TableError: the source cannot be read as a table, or has no rows.
    """

    def __init__(self, source: Any, rows: int = ROWS) -> None:
        self.sample: Sample = take_sample(source, rows)
        table = self.sample.table
        self.measured: dict[str, Measured] = {
            name: measure(table, name, self.sample.rows) for name in table.column_names
        }
        for name, problem in self.sample.unread:
            column = Column(
                name, "unreadable", "object", table.num_rows, problem=problem.removeprefix(f"column {name!r}: ")
            )
            self.measured[name] = Measured(column, np.full(table.num_rows, -1))

    def profile(
        self, tasks: Sequence[str | Task] | None = None, *, time: str | None = None, group: str | None = None
    ) -> Profile:
        """Return the profile of the table.

        Args:
            tasks: names of label columns, or declarations of tasks; None: proposed.
            time: the column of the rows' time; ``none``: there is none; None: proposed.
            group: the column of the rows' group; ``none``: there is none; None: proposed.

        Raises:
            TableError: a named column is not there.
            DeclarationError: the list of tasks is empty.
        """
        if tasks is not None and not tasks:
            raise DeclarationError("tasks: expected one name or more, found none (None: proposed)")
        given = {_label(task): task for task in tasks or ()}
        roles = find_roles(self.measured, self.sample.rows, list(given) if given else None, time, group)
        declared = {name: task for name, task in given.items() if not isinstance(task, str)}
        kinded = [self._task(label, declared.get(label)) for label in roles.labels]
        known = [each.task for each in kinded if each.task is not None]
        relations = relate(self.measured, known)
        return Profile(
            name=self.sample.name,
            rows=self.sample.rows,
            sampled=self.sample.table.num_rows,
            columns=tuple(each.column for each in self.measured.values()),
            roles=roles,
            tasks=tuple(_as_steps(kinded, relations, set(declared))),
            relations=relations,
            periods=self._periods(roles.time, relations.labels),
            unseen=self._unseen(roles.time),
        )

    def _task(self, label: str, declared: Task | None) -> LabelTask:
        if declared is not None:
            return LabelTask(label, declared, "as declared")
        return LabelTask(label, *task_of(self.measured[label].column, self.sample.rows))

    def _moments(self, time: str | None) -> np.ndarray | None:
        """Return ``[row]`` times to order by."""
        if time is None:
            return None
        seconds = row_seconds(self.measured[time])
        return self.measured[time].numbers if seconds is None else seconds

    def _periods(self, time: str | None, labels: Sequence[str]) -> tuple[Period, ...]:
        moments = self._moments(time)
        if time is None or moments is None or not labels:
            return ()
        is_date = row_seconds(self.measured[time]) is not None
        unit = DAY if is_date else 1.0
        known = np.flatnonzero(np.isfinite(moments))
        if not len(known):
            return ()
        place = np.floor(moments[known] / unit).astype(np.int64)
        step = -(-(int(place.max() - place.min()) + 1) // MOST_DAYS)
        place = (place - place.min()) // step * step + place.min()
        found = []
        for begins in np.unique(place).tolist():
            rows = known[place == begins]
            shown = str(np.datetime64(begins, "D")) if is_date else f"{begins:g}"
            found.append(Period(shown, len(rows), {label: _mean(self.measured[label], rows) for label in labels}))
        return tuple(found)

    def _unseen(self, time: str | None) -> dict[str, float]:
        moments = self._moments(time)
        # in a part of the rows, values seem new whose earlier rows were not drawn
        if moments is None or not self.sample.is_whole or len(moments) < 1 / LATEST:
            return {}
        order = np.argsort(moments, kind="stable")
        earlier, later = np.split(order, [round(len(order) * (1 - LATEST))])
        found = {}
        for name, each in self.measured.items():
            if each.column.kind in ("whole", "text") and name != time and each.column.distinct > 50:
                seen = np.zeros(each.codes.max() + 2, dtype=bool)
                seen[each.codes[earlier] + 1] = True
                found[name] = float(1 - seen[each.codes[later] + 1].mean())
        return found


def profile(
    source: Any,
    tasks: Sequence[str | Task] | None = None,
    *,
    time: str | None = None,
    group: str | None = None,
    rows: int = ROWS,
) -> Profile:
    """Return a table in plain numbers.

    Args:
        source: any table, see :func:`gatewise.data.read_table`.
        tasks: names of label columns, or declarations of tasks; None: proposed from names and values.
        time: the column of the rows' time; ``none``: there is none; None: proposed.
        group: the column of the rows' group; ``none``: there is none; None: proposed.
        rows: largest number of rows that are looked at; they are drawn at random.

    Raises:
        TableError: the source cannot be read as a table, has no rows, or lacks a named column.

    Example:
        >>> found = profile({"user_id": [1, 2, 3] * 40, "click": [0, 1, 1, 0] * 30})
        >>> found.roles.labels, found.by_name["user_id"].distinct
        (('click',), 3)
    """
    return Look(source, rows).profile(tasks, time=time, group=group)


def _label(task: str | Task) -> str:
    return task if isinstance(task, str) else column_of(task)


def _mean(label: Measured, rows: np.ndarray) -> float | None:
    if label.numbers is None or np.isnan(label.numbers[rows]).all():
        return None
    return float(np.nanmean(label.numbers[rows]))


def _as_steps(kinded: Sequence[LabelTask], relations: Relations, declared: set[str]) -> list[LabelTask]:
    """Return the tasks, those that imply another as its next step; declared tasks stay as they are."""
    names = {each.label: each.task.name for each in kinded if each.task is not None}
    before = {step.after: step for step in relations.steps if step.after not in declared}
    found = []
    for each in kinded:
        step = before.get(each.label)
        if step is None or not isinstance(each.task, (Binary, LifetimeValue)):
            found.append(each)
            continue
        conflicts = f", but for {step.conflicts:.2%} of them" if step.conflicts else ""
        what = "is 1" if isinstance(each.task, Binary) else "is above 0"
        reason = f"{each.reason}; {what} only where {step.before!r} is 1{conflicts}"
        found.append(LabelTask(each.label, replace(each.task, after=names[step.before]), reason))
    return found
