from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.datasets import history_before
from gatewise.datasets.history import history_columns
from gatewise.errors import TableError

HALF_STARS = st.integers(1, 10).map(lambda half: half / 2)
ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6), HALF_STARS), max_size=40)


def columns(rows):
    groups, times, values = zip(*rows, strict=True) if rows else ((), (), ())
    return (
        np.array(groups, dtype=np.int64),
        np.array(times, dtype=np.int64),
        np.array(values, dtype=np.float64),
    )


def by_hand(group, time, value):
    count, mean = [], []
    for own_group, own_time in zip(group, time, strict=True):
        before = [v for g, t, v in zip(group, time, value, strict=True) if g == own_group and t < own_time and v == v]
        count.append(len(before))
        mean.append(sum(before) / len(before) if before else math.nan)
    return count, mean


@settings(deadline=None)
@given(ROWS)
def test_agrees_with_a_loop(rows):
    group, time, value = columns(rows)
    count, mean = history_before(group, time, value)
    expected_count, expected_mean = by_hand(group, time, value)
    assert count.dtype == np.int64
    assert mean.dtype == np.float64
    assert count.tolist() == expected_count
    np.testing.assert_array_equal(mean, np.array(expected_mean))


@settings(deadline=None)
@given(ROWS.filter(bool), st.data())
def test_a_changed_value_is_seen_by_later_rows_of_its_group_only(rows, data):
    group, time, value = columns(rows)
    changed = data.draw(st.integers(0, len(rows) - 1))
    _, before = history_before(group, time, value)
    value[changed] += 1e17
    _, after = history_before(group, time, value)
    may_see = (group == group[changed]) & (time > time[changed])
    np.testing.assert_array_equal(after[~may_see], before[~may_see])
    assert (after[may_see] > before[may_see]).all()


@settings(deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(rows, random):
    group, time, value = columns(rows)
    shuffle = np.array(random.sample(range(len(rows)), len(rows)), dtype=np.int64)
    count, mean = history_before(group, time, value)
    shuffled_count, shuffled_mean = history_before(group[shuffle], time[shuffle], value[shuffle])
    np.testing.assert_array_equal(shuffled_count, count[shuffle])
    np.testing.assert_array_equal(shuffled_mean, mean[shuffle])


def test_unknown_values_are_neither_counted_nor_averaged():
    count, mean = history_before(np.zeros(4), np.arange(4), np.array([np.nan, 2.0, np.nan, 4.0]))
    assert count.tolist() == [0, 0, 1, 1]
    np.testing.assert_array_equal(mean, [np.nan, np.nan, 2.0, 2.0])


@pytest.mark.parametrize("dtype", [object, np.str_])
def test_groups_may_be_strings_and_times_datetimes(dtype):
    time = np.array(["2024-01-02", "2024-01-01", "2024-01-01"], dtype="datetime64[D]")
    count, mean = history_before(np.array(["a", "b", "a"], dtype=dtype), time, np.array([1, 2, 3]))
    assert count.tolist() == [1, 0, 0]
    np.testing.assert_array_equal(mean, [3.0, np.nan, np.nan])


def test_many_rows_in_one_group():
    rows = 5000
    count, mean = history_before(np.zeros(rows), np.arange(rows), np.arange(rows))
    np.testing.assert_array_equal(count, np.arange(rows))
    np.testing.assert_array_equal(mean[1:], (np.arange(1, rows) - 1) / 2)


@pytest.mark.parametrize(
    ("group", "time", "value", "message"),
    [
        ([1, 2], [1, 2], [1.0], "one length"),
        ([[1], [2]], [[1], [2]], [[1.0], [2.0]], "one length"),
        ([1, 2], [1.0, np.nan], [1.0, 2.0], "time has values that are NaN"),
        ([np.nan, 2], [1, 2], [1.0, 2.0], "group has values that are NaN"),
    ],
)
def test_what_cannot_work_is_refused(group, time, value, message):
    with pytest.raises(TableError, match=message):
        history_before(np.array(group), np.array(time), np.array(value))


@settings(deadline=None)
@given(ROWS, st.data())
def test_columns_agree_with_a_loop_and_are_null_where_the_group_is(rows, data):
    group, time, value = columns(rows)
    known = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))), dtype=bool)
    values = {"mean": value, "other": -value}
    found = history_columns("movie", pa.chunked_array([pa.array(group, mask=~known)]), time, values)
    count, mean = by_hand(group[known], time[known], value[known])
    assert list(found) == ["movie_count", "movie_mean", "movie_other"]
    assert found["movie_count"].drop_null().to_pylist() == count
    assert found["movie_mean"].filter(pa.array(known)).to_pylist() == [
        None if m != m else pytest.approx(m) for m in mean
    ]
    for column in found.values():
        assert column.filter(pa.array(~known)).null_count == (~known).sum()
    assert found["movie_other"].drop_null().to_pylist() == [-m for m in found["movie_mean"].drop_null().to_pylist()]
