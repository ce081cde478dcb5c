"""The argument of commands that names a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ROWS = "File, folder or glob of CSV or Parquet, s3://... or another address, or {sql: URI, query: ...}"
"""What the help says of such an argument, before what the table must hold."""


def named_table(text: str) -> Any:
    """Return the table that an argument names, as the readers of tables take it.

    Raises:
        DeclarationError: YAML that is not valid, or an address with a password.
    """
    from gatewise.declare import located, named_rows

    return located(named_rows(text), Path())
