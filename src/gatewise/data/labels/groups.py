"""The column whose equal values form groups."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from gatewise.data.tables import pick_column
from gatewise.data.values import distinct_keys
from gatewise.declare import Schema


def encode_groups(schema: Schema, table: pa.Table) -> np.ndarray | None:
    """Return the group number of every row, int64, -1 for null: no group; None for a schema without groups.

    Raises:
        TableError: the column is missing, or holds neither integers nor strings.
    """
    if schema.group is None:
        return None
    purpose = f"group {schema.group!r}"
    found = distinct_keys(pick_column(table, schema.group, purpose), purpose)
    codes = found.codes.astype(np.int64)
    return np.where(codes == len(found.values), -1, codes)
