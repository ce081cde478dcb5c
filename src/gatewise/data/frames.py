"""Columns back in the library that a table came from."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from gatewise.errors import GatewiseError


def frame_like(columns: pa.Table, table: Any) -> Any:
    """Return columns as a polars frame if the table is one, and else as a pandas frame; of pandas with its index.

    Args:
        columns: one row per row of the table.
        table: any table, or a path.

    Raises:
        GatewiseError: pandas is needed, and not installed.
    """
    if type(table).__module__.partition(".")[0] == "polars":
        import polars

        return polars.from_arrow(columns)
    try:
        import pandas
    except ImportError:
        found = f"the table is {type(table).__name__}"
        raise GatewiseError(f"as_frame: needs pandas, which is not installed ({found}); without it: Arrow") from None
    frame = columns.to_pandas()
    if isinstance(table, pandas.DataFrame):
        frame.index = table.index
    return frame
