"""Cutting a table into train, valid and test, forward in time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gatewise.errors import TableError, did_you_mean


def split_by_time(
    table: pa.Table, column: str, valid: float = 0.1, test: float = 0.1
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Split a table into (train, valid, test) so that training never sees the future.

    Every train time <= every valid time <= every test time. Rows of equal time keep their order. A boundary
    that would fall between two rows of one instant moves to the next change of time, or back to an earlier
    one where that would leave a part empty. Only a table with fewer distinct times than parts has an instant
    on two sides of a boundary.

    Args:
        table: Any Arrow table.
        column: The time to order by: integers, floats, timestamps, dates or strings that sort in time. No nulls.
        valid: Share of the rows in [0, 1). A share of 0 gives a table of no rows; any other at least one row.
        test: Likewise; the two together are below 1.

    Raises:
        TableError: The column is missing, has nulls or cannot be ordered; a share is out of range; the table has fewer
            rows than there are wanted parts.

    Example:
        >>> import pyarrow as pa
        >>> train, valid, test = split_by_time(pa.table({"day": [3, 1, 2, 4]}), "day", valid=0.25, test=0.25)
        >>> train["day"].to_pylist(), valid["day"].to_pylist(), test["day"].to_pylist()
        ([1, 2], [3], [4])
    """
    _check_shares(valid, test)
    ordered = _in_time(table, column)
    rows = ordered.num_rows
    tails = [share for share in (valid + test if valid else 0.0, test) if share]
    if rows < len(tails) + 1:
        raise TableError(f"a split into {len(tails) + 1} parts needs as many rows, found {rows}")
    cuts = _cuts([rows - round(rows * tail) for tail in tails], _changes(ordered[column]), rows)
    test_from = cuts[-1] if test else rows
    valid_from = cuts[0] if valid else test_from
    valid_rows = test_from - valid_from
    return ordered.slice(0, valid_from), ordered.slice(valid_from, valid_rows), ordered.slice(test_from)


def _check_shares(valid: float, test: float) -> None:
    for name, share in (("valid", valid), ("test", test)):
        if not 0 <= share < 1:
            raise TableError(f"{name}: expected a share of the rows in [0, 1), found {share}")
    if valid + test >= 1:
        raise TableError(f"valid + test: expected less than 1 together, found {valid} + {test}")


def _in_time(table: pa.Table, column: str) -> pa.Table:
    if column not in table.column_names:
        raise TableError(f"no column {column!r} to split by{did_you_mean(column, table.column_names)}")
    time = table[column]
    nulls = pc.sum(pc.is_null(time, nan_is_null=True)).as_py()
    if nulls:
        raise TableError(f"column {column!r}: {nulls} null times, and a row without a time has no place in the split")
    try:
        return table.take(pc.sort_indices(time))  # a stable sort
    except pa.ArrowException:
        raise TableError(f"column {column!r}: expected times that can be ordered, found {time.type}") from None


def _changes(time: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Positions of the rows whose time differs from the row before."""
    differs = pc.not_equal(time.slice(1), time.slice(0, max(len(time) - 1, 0)))
    return np.flatnonzero(differs.to_numpy()) + 1


def _cuts(wanted: list[int], changes: npt.NDArray[np.int64], rows: int) -> list[int]:
    """Move each wanted cut to the next allowed position that leaves no part without a row."""
    allowed = changes if len(changes) >= len(wanted) else np.arange(1, rows)
    cuts: list[int] = []
    at = -1
    for index, position in enumerate(wanted):
        next_change = int(np.searchsorted(allowed, position))
        last_possible = len(allowed) - len(wanted) + index
        at = min(max(next_change, at + 1), last_possible)
        cuts.append(int(allowed[at]))
    return cuts
