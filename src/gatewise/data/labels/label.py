"""Label columns; a missing label is NaN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import numpy as np
import pyarrow as pa

from gatewise.data.absorbed import State
from gatewise.data.arrays import nan_to_null
from gatewise.data.moments import BlockMoments
from gatewise.data.pieces import blocks
from gatewise.data.tables import pick_column
from gatewise.data.values import as_numbers
from gatewise.declare import Label, column_of
from gatewise.errors import TableError

Kind = TypeVar("Kind", bound=Label)


class LabelEncoder(Generic[Kind]):
    """Reads a task's labels as numbers, and learns the task's statistics from the training table, or from its pieces.

    Of the training table, or of each of its pieces, :meth:`prepare` sees the column and :meth:`absorb` the labels;
    after the last piece, :meth:`learn` is called. A kind of task whose labels are not plain numbers, or which learns
    other statistics, has a subclass.

    Attributes:
        task: the task's declaration.
        statistics: the learnt statistics, as JSON values; the task's constructor takes them by name.
    """

    num_labels = 1
    """Number of label columns."""

    def __init__(self, task: Kind, statistics: Mapping[str, Any] | None = None) -> None:
        self.task = task
        self.statistics: dict[str, Any] = dict(statistics or {})
        self._rows, self._least, self._most = 0, np.inf, -np.inf
        self._moments = BlockMoments()

    @property
    def purpose(self) -> str:
        """The reader of the column, for messages."""
        return f"label of task {self.task.name!r}"

    @property
    def type(self) -> pa.DataType | None:
        """The type for reading the column of a text file; None: inferred from the values."""
        return pa.float64()

    def prepare(self, table: pa.Table) -> None:
        """Learn from the training table, or from its next piece, what :meth:`read` needs; by default nothing."""

    def read(self, table: pa.Table) -> np.ndarray:
        """Return float64 labels ``[row, num_labels]`` in their own unit; null and NaN give NaN: not in the sample.

        Raises:
            TableError: the column is missing, or a label is not valid for the kind of task; names the column.
        """
        return self.numbers(table)[:, np.newaxis]

    def read_known(self, table: pa.Table) -> np.ndarray:
        """Return the labels of a table before they are known: NaN, except for columns that are known beforehand."""
        return np.full((table.num_rows, self.num_labels), np.nan)

    def absorb(self, labels: np.ndarray) -> None:
        """Collect the training labels ``[row, num_labels]`` of a table or a piece; NaN outside the task's sample."""
        for rows in blocks(len(labels)):
            known = labels[rows, 0][~np.isnan(labels[rows, 0])]
            if len(known):
                self._least, self._most = min(self._least, known.min()), max(self._most, known.max())
                self.take(known)
        self._rows += len(labels)

    def take(self, known: np.ndarray) -> None:
        """Collect some known labels ``[row]``, at least one: by default their moments."""
        self._moments.add(known)

    def absorbed(self) -> State:
        """Return what was prepared and absorbed, for :meth:`merge`."""
        bounds = {"least": float(self._least), "most": float(self._most)}
        return {"rows": self._rows, **bounds, "moments": self._moments.absorbed()}

    def merge(self, absorbed: State) -> None:
        """Take in what the next part of the training table gave, as if its pieces had been absorbed here.

        Args:
            absorbed: what :meth:`absorbed` returned, with Arrow arrays or NumPy arrays.

        Raises:
            TableError: the parts hold what one table cannot.
        """
        self._rows += absorbed["rows"]
        self._least, self._most = min(self._least, absorbed["least"]), max(self._most, absorbed["most"])
        self._moments.merge(absorbed["moments"])

    def learn(self) -> None:
        """Learn statistics from all absorbed labels.

        Raises:
            TableError: no labels, or all labels are equal, so that nothing can be learnt.
        """
        if self._least > self._most:
            raise TableError(f"{self.purpose}: {self._empty(self._rows)}, nothing can be learnt")
        if self._least == self._most:
            where = f"in every row of {self._sample()}"
            raise TableError(f"{self.purpose}: is {self.shown(self._least)} {where}, nothing can be learnt")
        self.statistics |= self.summary()
        self._moments = BlockMoments()

    def summary(self) -> dict[str, Any]:
        """Return the statistics of all known labels."""
        moments = self._moments.total()
        return {"mean": moments.mean, "std": moments.std}

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
        if self.task.delay is not None:
            return f"no row of {self._sample()} is {self.task.delay} old by {self.task.time!r} and has a label"
        if self._sample() == "the training table":
            return f"all {rows} rows of the training table are null"
        return f"there is none in {self._sample()}"
