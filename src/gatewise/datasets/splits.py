"""Splitting a table into train, valid and test: forward in time, by group, or at random."""

from __future__ import annotations

import datetime
import warnings
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from gatewise.data import as_type, column_names, is_named, is_string, pick_column, read_table, readable, take_rows
from gatewise.errors import GatewiseWarning, TableError, did_you_mean, shown

Parts: TypeAlias = tuple[pa.Table, pa.Table, pa.Table]
Moment: TypeAlias = int | float | str | datetime.date


def split_by_time(table: Any, column: str, valid: float = 0.1, test: float = 0.1) -> Parts:
    """Return (train, valid, test) of a table, split by time so that training never sees the future.

    Every train time <= every valid time <= every test time. Rows with equal times keep their order. A boundary
    between two rows with equal times moves to the next change of time, or back to an earlier change if a part
    would be empty. Only a table with fewer distinct times than parts has equal times on both sides of a boundary.

    Args:
        table: Any table, see :func:`gatewise.data.read_table`; the parts are Arrow tables.
        column: The time to order by: integers, floats, timestamps, dates or strings that sort in time. No nulls.
        valid: Share of the rows in [0, 1). A share of 0 gives an empty table, any other share at least one row.
        test: Share of the rows, like ``valid``; the sum of both is below 1.

    Raises:
        TableError: The column is missing, has nulls or cannot be ordered; a share is out of range; the table has fewer
            rows than requested parts.

    Warns:
        GatewiseWarning: A column that Arrow cannot hold is left out.

    Example:
        >>> import pyarrow as pa
        >>> train, valid, test = split_by_time(pa.table({"day": [3, 1, 2, 4]}), "day", valid=0.25, test=0.25)
        >>> train["day"].to_pylist(), valid["day"].to_pylist(), test["day"].to_pylist()
        ([1, 2], [3], [4])
    """
    _check_shares(valid, test)
    ordered, times = _in_time(table, column)
    valid_from, test_from = _begins(ordered.num_rows, _changes(times), valid, test)
    return _cut(ordered, valid_from, test_from)


def split_at(table: Any, column: str, valid_from: Moment | None = None, test_from: Moment | None = None) -> Parts:
    """Return (train, valid, test) of a table, split at given times; a row exactly at a bound is in the later part.

    Args:
        table: Any table, see :func:`gatewise.data.read_table`; the parts are Arrow tables.
        column: The time to order by, see :func:`split_by_time`.
        valid_from: First time of the validation part; None: the part is empty. Text is read as the column's type.
        test_from: First time of the test part, like ``valid_from``.

    Raises:
        TableError: The column is missing, has nulls or cannot be ordered; a bound cannot be compared with the column;
            a requested part, or training, would be empty.

    Example:
        >>> import pyarrow as pa
        >>> days = pa.table({"day": [20220504, 20220502, 20220503, 20220505]})
        >>> train, valid, test = split_at(days, "day", valid_from=20220503, test_from=20220504)
        >>> train["day"].to_pylist(), valid["day"].to_pylist(), test["day"].to_pylist()
        ([20220502], [20220503], [20220504, 20220505])
    """
    ordered, times = _in_time(table, column)
    test_begins = ordered.num_rows if test_from is None else _rows_before(times, column, test_from)
    valid_begins = test_begins if valid_from is None else _rows_before(times, column, valid_from)
    first = test_from if valid_from is None else valid_from
    in_valid = f"from {valid_from} on" + ("" if test_from is None else f" and before {test_from}")
    for empty, span in (
        (valid_begins == 0, f"before {first}, so none to train on"),
        (valid_from is not None and valid_begins >= test_begins, in_valid),
        (test_from is not None and test_begins == ordered.num_rows, f"from {test_from} on"),
    ):
        if empty:
            raise TableError(f"column {column!r}: no row {span}; found {_span(times)}")
    return _cut(ordered, valid_begins, test_begins)


def split_at_random(table: Any, seed: int, valid: float = 0.1, test: float = 0.1) -> Parts:
    """Return (train, valid, test) of a table, split at random; in each part rows keep their order.

    The split depends only on the seed and the number of rows, not on the rows' content, the table's memory layout
    or NumPy's version.

    Args:
        table: Any table, see :func:`gatewise.data.read_table`; the parts are Arrow tables.
        seed: At least 0.
        valid: Share of the rows in [0, 1), see :func:`split_by_time`.
        test: Share of the rows, like ``valid``.

    Raises:
        TableError: A share is out of range; the table has fewer rows than requested parts.

    Example:
        >>> import pyarrow as pa
        >>> [part.num_rows for part in split_at_random(pa.table({"row": list(range(10))}), seed=0, valid=0.2)]
        [7, 2, 1]
    """
    _check_shares(valid, test)
    table = _whole(table)
    rows = table.num_rows
    # a bit generator's raw stream is equal in every version; numbers from a Generator need not be
    order = np.argsort(np.random.PCG64(seed).random_raw(rows), kind="stable")
    parts = np.split(order, _begins(rows, np.arange(1, rows), valid, test))
    train, valid_part, test_part = (take_rows(table, np.sort(part)) for part in parts)
    return train, valid_part, test_part


def split_by_group(table: Any, column: str, seed: int, valid: float = 0.1, test: float = 0.1) -> Parts:
    """Return (train, valid, test) of a table; all rows of a group, such as a patient, are in one part.

    Groups are drawn at random until a part has its share of the rows. The split depends only on the seed and on the
    order in which groups first appear; in each part rows keep their order.

    Args:
        table: Any table, see :func:`gatewise.data.read_table`; the parts are Arrow tables.
        column: The column of the groups: integers or strings. Rows with null are one group.
        seed: At least 0.
        valid: Share of the rows in [0, 1), see :func:`split_by_time`.
        test: Share of the rows, like ``valid``.

    Raises:
        TableError: The column is missing; a share is out of range; the table has fewer groups than requested parts.

    Example:
        >>> import pyarrow as pa
        >>> visits = pa.table({"patient": [1, 1, 2, 2, 3, 3, 4, 4]})
        >>> parts = split_by_group(visits, "patient", seed=0, valid=0.25, test=0.25)
        >>> [sorted(set(part["patient"].to_pylist())) for part in parts]
        [[3, 4], [2], [1]]
    """
    _check_shares(valid, test)
    table = _whole(table)
    if column not in table.column_names:
        raise TableError(f"no column {column!r} to split by{did_you_mean(column, table.column_names)}")
    picked = pick_column(table, column, f"column {column!r}")
    if pa.types.is_dictionary(picked.type):
        picked = picked.dictionary_decode()
    groups = picked.dictionary_encode("encode").indices.to_numpy(zero_copy_only=False)
    count = int(groups.max(initial=-1)) + 1
    wanted = 1 + sum(share > 0 for share in (valid, test))
    if count < wanted:
        raise TableError(f"column {column!r}: a split into {wanted} parts needs as many groups, found {count}")
    place = np.empty(count, dtype=np.int64)
    place[np.argsort(np.random.PCG64(seed).random_raw(count), kind="stable")] = np.arange(count)
    order = np.argsort(place[groups], kind="stable")
    changes = np.flatnonzero(np.diff(place[groups][order])) + 1
    bounds = _begins(table.num_rows, changes, valid, test)
    train, valid_part, test_part = (take_rows(table, np.sort(part)) for part in np.split(order, bounds))
    return train, valid_part, test_part


def _begins(rows: int, allowed: npt.NDArray[np.int64], valid: float, test: float) -> tuple[int, int]:
    """Return the positions at which validation and test begin."""
    tails = [share for share in (valid + test if valid else 0.0, test) if share]
    if rows < len(tails) + 1:
        raise TableError(f"a split into {len(tails) + 1} parts needs as many rows, found {rows}")
    cuts = _cuts([rows - round(rows * tail) for tail in tails], allowed, rows)
    test_from = cuts[-1] if test else rows
    return cuts[0] if valid else test_from, test_from


def _cut(ordered: pa.Table, valid_from: int, test_from: int) -> Parts:
    valid_rows = test_from - valid_from
    return ordered.slice(0, valid_from), ordered.slice(valid_from, valid_rows), ordered.slice(test_from)


def _rows_before(times: pa.Array, column: str, bound: Moment) -> int:
    try:
        moment = pa.scalar(bound)
        if isinstance(bound, str) or is_string(times.type):
            moment = moment.cast(times.type)
        return pc.sum(pc.less(times, moment), min_count=0).as_py()
    except pa.ArrowException:
        raise TableError(
            f"column {column!r}: expected a bound that compares with {times.type}, found {bound!r}"
        ) from None


def _span(times: pa.Array) -> str:
    return f"{times[0]} to {times[-1]}" if len(times) else "no rows"


def _check_shares(valid: float, test: float) -> None:
    for name, share in (("valid", valid), ("test", test)):
        if not 0 <= share < 1:
            raise TableError(f"{name}: expected a share of the rows in [0, 1), found {share}")
    if valid + test >= 1:
        raise TableError(f"valid + test: expected less than 1 together, found {valid} + {test}")


def _whole(source: Any) -> pa.Table:
    """Return a table of all columns of a source that Arrow can hold."""
    source = readable(source)
    try:
        return read_table(source)
    except TableError:
        names = column_names(source)
        left_out = [name for name in names if not _is_held(source, name)]
        if not left_out or is_named(source):
            raise
    found = f"{shown(map(repr, left_out))} hold what Arrow cannot hold, and are left out of the parts"
    warnings.warn(f"split: columns {found}", GatewiseWarning, stacklevel=4)
    return read_table(source, [name for name in names if name not in left_out])


def _is_held(source: Any, name: str) -> bool:
    try:
        read_table(source, [name])
    except TableError:
        return False
    return True


def _in_time(source: Any, column: str) -> tuple[pa.Table, pa.Array]:
    """Return the rows in order of time, and their times."""
    table = _whole(source)
    if column not in table.column_names:
        raise TableError(f"no column {column!r} to split by{did_you_mean(column, table.column_names)}")
    times = _ordered_type(pick_column(table, column, f"column {column!r}"))
    nulls = pc.sum(pc.is_null(times, nan_is_null=True)).as_py()
    if nulls:
        raise TableError(f"column {column!r}: {nulls} null times, and a row without a time has no place in the split")
    try:
        order = pc.sort_indices(times)  # a stable sort
    except pa.ArrowException:
        raise TableError(f"column {column!r}: expected times that can be ordered, found {times.type}") from None
    return take_rows(table, order), times.take(order)


def _ordered_type(times: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(times.type):
        return times.dictionary_decode()
    return as_type(times, pa.float32()) if pa.types.is_float16(times.type) else times


def _changes(times: pa.Array) -> npt.NDArray[np.int64]:
    """Return the positions of rows whose time differs from the row before."""
    if len(times) == 0:
        return np.empty(0, dtype=np.int64)
    differs = pc.not_equal(times.slice(1), times.slice(0, max(len(times) - 1, 0)))
    return np.flatnonzero(differs.to_numpy(zero_copy_only=False)) + 1


def _cuts(wanted: list[int], changes: npt.NDArray[np.int64], rows: int) -> list[int]:
    """Return the allowed positions after the wanted cuts at which no part is empty."""
    allowed = changes if len(changes) >= len(wanted) else np.arange(1, rows)
    cuts: list[int] = []
    at = -1
    for index, position in enumerate(wanted):
        next_change = int(np.searchsorted(allowed, position))
        last_possible = len(allowed) - len(wanted) + index
        at = min(max(next_change, at + 1), last_possible)
        cuts.append(int(allowed[at]))
    return cuts
