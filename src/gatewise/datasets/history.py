"""History features of each row: counts and means without look-ahead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gatewise.errors import TableError


def history_before(
    group: npt.NDArray[Any], time: npt.NDArray[Any], value: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Return count and mean, for each row, of the values of its group at strictly earlier times.

    Rows with equal times are not in each other's history, and rows of other groups do not change the result at
    all. The rows may be in any order. A value that is NaN is unknown, and is neither counted nor averaged.

    Args:
        group: ``[row]``, group of each row: numbers, strings or datetimes, no NaN.
        time: ``[row]``, numbers or datetimes, no NaN.
        value: ``[row]``, the values to average: numbers or booleans.

    Returns:
        count: ``[row] int64``, number of known values before the row.
        mean: ``[row] float64``, mean of these values, NaN if there are none.

    Raises:
        TableError: The arrays differ in length, or a group or time is NaN.

    Example:
        >>> import numpy as np
        >>> user, day, rating = np.array([7, 7, 7, 8]), np.array([1, 2, 3, 3]), np.array([5.0, 2.0, 1.0, 4.0])
        >>> count, mean = history_before(user, day, rating)
        >>> count.tolist(), mean.tolist()
        ([0, 1, 2, 0], [nan, 5.0, 3.5, nan])
    """
    group, time, value = np.asarray(group), np.asarray(time), np.asarray(value, dtype=np.float64)
    _check(group, time, value)
    if group.dtype == object:
        group = np.unique(group, return_inverse=True)[1]  # lexsort does not accept objects
    rows = len(group)
    order = np.lexsort((time, group))
    new_group = _starts(group[order])
    new_instant = new_group | _starts(time[order])
    row = np.arange(rows)
    place = row - np.maximum.accumulate(np.where(new_group, row, 0))  # position within the group
    instant_at = np.maximum.accumulate(np.where(new_instant, row, 0))  # first row of this group and time
    has_past = place[instant_at] > 0
    past = np.where(has_past, instant_at - 1, 0)  # last row before this time

    known = ~np.isnan(value[order])
    counts = np.where(has_past, _running_sum(known.astype(np.int64), place)[past], 0)
    sums = _running_sum(np.where(known, value[order], 0.0), place)[past]
    means = np.full(rows, np.nan)
    np.divide(sums, counts, out=means, where=counts > 0)

    count, mean = np.empty(rows, dtype=np.int64), np.empty(rows)
    count[order], mean[order] = counts, means
    return count, mean


def history_columns(
    who: str, group: pa.ChunkedArray, time: npt.NDArray[Any], values: Mapping[str, npt.NDArray[Any]]
) -> dict[str, pa.Array]:
    """Return the history of each row's group as columns, by :func:`history_before`.

    Args:
        who: Name of the group, the prefix of every column's name.
        group: ``[row]`` ids.
        time: ``[row]``, see :func:`history_before`.
        values: Name and ``[row]`` numbers of each value to average; all without NaN.

    Returns:
        dict: ``who_count``, int64, number of the group's earlier rows, and for every value ``who_name``, float64,
        mean over these rows, null if there are none. All columns are null for a null group.

    Example:
        >>> import numpy as np
        >>> author, day, click = pa.chunked_array([[7, None, 7]]), np.array([1, 2, 3]), np.array([1, 0, 0])
        >>> columns = history_columns("author", author, day, {"rate": click})
        >>> columns["author_count"].to_pylist(), columns["author_rate"].to_pylist()
        ([0, None, 1], [None, None, 1.0])
    """
    known = group.is_valid().to_numpy()
    ids, at = group.drop_null().to_numpy(), time[known]
    counts, columns = np.zeros(len(known), dtype=np.int64), {}
    for name, value in values.items():
        means = np.zeros(len(known))
        counts[known], means[known] = history_before(ids, at, value[known])
        columns[f"{who}_{name}"] = pa.array(means, mask=counts == 0)
    return {f"{who}_count": pa.array(counts, mask=~known)} | columns


def _check(group: npt.NDArray[Any], time: npt.NDArray[Any], value: npt.NDArray[Any]) -> None:
    shapes = [array.shape for array in (group, time, value)]
    if len(set(shapes)) > 1 or group.ndim != 1:
        raise TableError(f"history: expected group, time and value of one length, found shapes {shapes}")
    for name, array in (("group", group), ("time", time)):
        if np.any(array != array):  # true for NaN and NaT only
            raise TableError(f"history: {name} has values that are NaN")


def _starts(run: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Return the mask of the first row of each run of equal values."""
    first = np.ones(len(run), dtype=np.bool_)
    first[1:] = run[1:] != run[:-1]
    return first


def _running_sum(values: npt.NDArray[Any], place: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Return the running sums, each row included, restarted at every row with ``place`` 0.

    The range of the sums is doubled log2(longest group) times. So the rounding of other groups does not reach a group's
    sum, as it would with the difference of two points of one long ``cumsum``.
    """
    total, reach = values.copy(), 1
    longest = int(place.max(initial=-1)) + 1
    while reach < longest:
        total[reach:] += np.where(place[reach:] >= reach, total[:-reach], 0)
        reach *= 2
    return total
