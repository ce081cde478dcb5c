"""Which feature every column of X is: declared, or by its type."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from gatewise.declare import Feature, columns_of
from gatewise.errors import DeclarationError, did_you_mean, shown
from gatewise.look import features_by_type


def features_of(table: pa.Table, declared: Sequence[Feature] | None, group: str | None = None) -> list[Feature]:
    """Return the declared features, and one by its type for every other column but that of groups.

    Raises:
        DeclarationError: a declared feature reads a column that X does not have.
        TableError: a column cannot be read; names it.
    """
    given = list(declared or ())
    read = [column for feature in given for column in columns_of(feature)]
    for column in read:
        if column not in table.column_names:
            hint = did_you_mean(column, table.column_names) or f" (columns: {shown(table.column_names)})"
            raise DeclarationError(f"features: X has no column {column!r}{hint}")
    rest = [name for name in table.column_names if name not in read and name != group]
    return given + (features_by_type(table.select(rest)) if rest else [])
