"""Helpers of all table readers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from gatewise.errors import TableError

Types = Mapping[str, pa.DataType]
"""Known types of a text file's columns."""


def unique_names(table: Any, where: str) -> Any:
    """Return a table or an Arrow schema, checked for duplicate column names."""
    names = table.names if isinstance(table, pa.Schema) else table.column_names
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise TableError(f"{where}: column {twice[0]!r} stands there twice")
    return table


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, or its type if the message is empty."""
    parts = (
        [str(part) for part in error.args] if len(error.args) > 1 and not isinstance(error, OSError) else [str(error)]
    )
    lines = [part.splitlines()[0] for part in parts if part]
    return "; ".join(lines) if lines else type(error).__name__
