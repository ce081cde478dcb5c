"""Label columns: NaN where there is no label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from gatewise.data.values import as_numbers, is_string
from gatewise.declare import Binary, Regression
from gatewise.errors import TableError


@dataclass(frozen=True)
class LabelStatistics:
    """Mean and standard deviation of a task's labels in the training table."""

    mean: float
    std: float


def encode_labels(task: Binary | Regression, column: pa.Array) -> np.ndarray:
    """Return float64 labels in their own unit; null and NaN mean that the row is not in the task's sample.

    Raises:
        TableError: a label that the task's kind does not have.
    """
    purpose = f"label of task {task.name!r}"
    if isinstance(task, Binary) and is_string(column.type):
        raise TableError(f"{purpose}: found strings, expected 0, 1 or null")
    if pa.types.is_floating(column.type):
        # NaN is how many tables write a missing label
        column = pa.array(column.to_numpy(zero_copy_only=False), from_pandas=True)
    values, missing = as_numbers(column, purpose)
    if isinstance(task, Binary):
        wrong = np.flatnonzero(~missing & (values != 0) & (values != 1))
        if len(wrong):
            raise TableError(f"{purpose}: found {values[wrong[0]]:g} in row {wrong[0]}, expected 0, 1 or null")
    return np.where(missing, np.nan, values)


def label_statistics(task: Binary | Regression, labels: np.ndarray) -> LabelStatistics:
    """Return the statistics of a training column.

    Raises:
        TableError: no label at all, or the same one everywhere: there is nothing to learn.
    """
    known = labels[~np.isnan(labels)]
    purpose = f"label of task {task.name!r}"
    if len(known) == 0:
        raise TableError(f"{purpose}: all {len(labels)} rows of the training table are null, nothing can be learnt")
    if np.all(known == known[0]):
        raise TableError(f"{purpose}: is {known[0]:g} in every row of the training table, nothing can be learnt")
    return LabelStatistics(float(known.mean()), float(known.std()))


def encode_weights(task: Binary | Regression, column: pa.Array) -> np.ndarray:
    """Return float32 row weights.

    Raises:
        TableError: a null, a negative number, no number.
    """
    purpose = f"weight of task {task.name!r}"
    values, missing = as_numbers(column, purpose)
    wrong = np.flatnonzero(missing | (values < 0))
    if len(wrong):
        found = "null" if missing[wrong[0]] else f"{values[wrong[0]]:g}"
        raise TableError(f"{purpose}: found {found} in row {wrong[0]}, expected numbers of 0 or more")
    return values.astype(np.float32)
