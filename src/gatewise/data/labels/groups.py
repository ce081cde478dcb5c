"""The column whose equal values make a group."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gatewise.data.tables import pick_column
from gatewise.data.values import distinct_keys


def encode_groups(table: pa.Table, column: str) -> np.ndarray:
    """Return a number for every row's group, int64; -1 for null: in no group.

    Raises:
        TableError: no such column, or neither integers nor strings.
    """
    found = distinct_keys(pick_column(table, column, "group"), f"group {column!r}")
    codes = found.codes.astype(np.int64)
    return np.where(codes == len(found.values), -1, codes)
