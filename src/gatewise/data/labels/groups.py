"""The column whose equal values make a group."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gatewise.data.tables import pick_column
from gatewise.data.values import distinct_keys
from gatewise.declare import Schema


def encode_groups(schema: Schema, table: pa.Table) -> np.ndarray | None:
    """Return a number for every row's group, int64, -1 for null: in no group; None where the schema has no groups.

    Raises:
        TableError: no such column, or neither integers nor strings.
    """
    if schema.group is None:
        return None
    purpose = f"group {schema.group!r}"
    found = distinct_keys(pick_column(table, schema.group, purpose), purpose)
    codes = found.codes.astype(np.int64)
    return np.where(codes == len(found.values), -1, codes)
