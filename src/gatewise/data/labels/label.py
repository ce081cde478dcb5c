"""Label columns; a missing label is NaN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import numpy as np
import pyarrow as pa

from gatewise.data.arrays import nan_to_null
from gatewise.data.tables import pick_column
from gatewise.data.values import as_numbers
from gatewise.declare import Label, column_of
from gatewise.errors import TableError

Kind = TypeVar("Kind", bound=Label)


class LabelEncoder(Generic[Kind]):
    """Reads a task's labels as numbers, and learns the task's statistics from the training table.

    A kind of task whose labels are not plain numbers, or which learns other statistics, has a subclass.

    Attributes:
        task: the task's declaration.
        statistics: the learnt statistics, as JSON values; the task's constructor takes them by name.
    """

    num_labels = 1
    """Number of label columns."""

    def __init__(self, task: Kind, statistics: Mapping[str, Any] | None = None) -> None:
        self.task = task
        self.statistics: dict[str, Any] = dict(statistics or {})

    @property
    def purpose(self) -> str:
        """The reader of the column, for messages."""
        return f"label of task {self.task.name!r}"

    @property
    def type(self) -> pa.DataType | None:
        """The type for reading the column of a text file; None: inferred from the values."""
        return pa.float64()

    def prepare(self, table: pa.Table) -> None:
        """Learn from the training table what :meth:`read` needs; by default nothing."""

    def read(self, table: pa.Table) -> np.ndarray:
        """Return float64 labels ``[row, num_labels]`` in their own unit; null and NaN give NaN: not in the sample.

        Raises:
            TableError: the column is missing, or a label is not valid for the kind of task; names the column.
        """
        return self.numbers(table)[:, np.newaxis]

    def read_known(self, table: pa.Table) -> np.ndarray:
        """Return the labels of a table before they are known: NaN, except for columns that are known beforehand."""
        return np.full((table.num_rows, self.num_labels), np.nan)

    def learn(self, labels: np.ndarray) -> None:
        """Learn statistics from the training table's labels ``[row, num_labels]``, NaN outside the task's sample.

        Raises:
            TableError: no labels, or all labels are equal, so that nothing can be learnt.
        """
        known = labels[~np.isnan(labels[:, 0]), 0]
        if len(known) == 0:
            raise TableError(f"{self.purpose}: {self._empty(len(labels))}, nothing can be learnt")
        if np.all(known == known[0]):
            where = f"in every row of {self._sample()}"
            raise TableError(f"{self.purpose}: is {self.shown(known[0])} {where}, nothing can be learnt")
        self.statistics |= self.summarise(known)

    def summarise(self, known: np.ndarray) -> dict[str, Any]:
        """Return the statistics of all known labels ``[row]``."""
        return {"mean": float(known.mean()), "std": float(known.std())}

    def shown(self, label: float) -> str:
        """Return a label as text for messages."""
        return f"{label:g}"

    def numbers(self, table: pa.Table) -> np.ndarray:
        """Return the label's column as float64 ``[row]``; null and NaN give NaN."""
        values, missing = as_numbers(self.column(table), self.purpose)
        return np.where(missing, np.nan, values)

    def column(self, table: pa.Table) -> pa.Array:
        """Return the label's column; null and NaN give null."""
        column = pick_column(table, column_of(self.task), self.purpose)
        # many tables write a missing label as NaN
        return nan_to_null(column) if pa.types.is_floating(column.type) else column

    def refuse(self, values: np.ndarray, wrong: np.ndarray, expected: str) -> None:
        """Refuse labels ``[row]`` under the mask ``wrong``.

        Raises:
            TableError: a label is wrong; names the first one.
        """
        rows = np.flatnonzero(wrong)
        if len(rows):
            raise TableError(f"{self.purpose}: found {values[rows[0]]:g} in row {rows[0]}, expected {expected}")

    def refuse_negative(self, values: np.ndarray) -> None:
        """Refuse labels ``[row]`` below 0."""
        self.refuse(values, values < 0, "numbers of 0 or more, or null")

    def _sample(self) -> str:
        within = getattr(self.task, "after", None) or self.task.within
        return "the training table" + (f" where {within!r} is 1" if within else "")

    def _empty(self, rows: int) -> str:
        if self._sample() == "the training table":
            return f"all {rows} rows of the training table are null"
        return f"there is none in {self._sample()}"
