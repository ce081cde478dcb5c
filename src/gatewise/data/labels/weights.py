"""Columns of row weights."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gatewise.data.values import as_numbers
from gatewise.declare import Label
from gatewise.errors import TableError


def encode_weights(task: Label, column: pa.Array) -> np.ndarray:
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
