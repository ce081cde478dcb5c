from __future__ import annotations

import datetime

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.datasets import split_by_time
from gatewise.errors import TableError

SHARES = st.sampled_from([0.0, 0.01, 0.1, 0.25, 0.4])
SHARES_OF_ROWS = SHARES.filter(lambda share: share != 0.01)  # no part of less than a row


def numbered(times):
    return pa.table({"row": list(range(len(times))), "time": pa.array(times, pa.int64())})


def times_of(part):
    return part["time"].to_pylist()


@settings(deadline=None)
@given(st.lists(st.integers(0, 8), min_size=3, max_size=40), SHARES, SHARES)
def test_parts_are_the_sorted_table_cut_forward_in_time(times, valid, test):
    table = numbered(times)
    parts = split_by_time(table, "time", valid, test)
    rows = [row for part in parts for row in part["row"].to_pylist()]
    assert rows == sorted(range(len(times)), key=lambda row: times[row])  # Python's sort is stable
    assert [bool(part.num_rows) for part in parts] == [True, valid > 0, test > 0]
    assert all(part.schema == table.schema for part in parts)


@settings(deadline=None)
@given(st.lists(st.integers(0, 8), min_size=3, max_size=40), SHARES, SHARES)
def test_an_instant_lies_in_one_part_when_there_are_times_enough(times, valid, test):
    parts = [part for part in split_by_time(numbered(times), "time", valid, test) if part.num_rows]
    distinct = [set(times_of(part)) for part in parts]
    if len(set(times)) >= len(parts):
        assert sum(len(found) for found in distinct) == len(set.union(*distinct))


@settings(deadline=None)
@given(st.integers(20, 300), SHARES_OF_ROWS, SHARES_OF_ROWS)
def test_distinct_times_give_the_shares_asked_for(rows, valid, test):
    _, valid_part, test_part = split_by_time(numbered(range(rows)), "time", valid, test)
    assert abs(valid_part.num_rows - valid * rows) <= 1
    assert abs(test_part.num_rows - test * rows) <= 1


def test_a_boundary_within_an_instant_moves_to_the_next_change():
    parts = split_by_time(numbered([1, 2, 3, 3, 3, 3, 4, 5, 6, 7]), "time", valid=0.3, test=0.3)
    assert [times_of(part) for part in parts] == [[1, 2, 3, 3, 3, 3], [4], [5, 6, 7]]
    parts = split_by_time(numbered([1, 2, 3, 3, 3, 4]), "time", valid=0.0, test=0.5)
    assert [times_of(part) for part in parts] == [[1, 2, 3, 3, 3], [], [4]]


def test_a_boundary_moves_back_where_the_last_instant_is_long():
    train, _, test = split_by_time(numbered([1, 2, 2, 2, 2]), "time", valid=0, test=0.2)
    assert (times_of(train), times_of(test)) == ([1], [2, 2, 2, 2])


def test_one_instant_is_cut_by_rows():
    assert [part.num_rows for part in split_by_time(numbered([5] * 10), "time", 0.2, 0.3)] == [5, 2, 3]


def test_no_shares_give_everything_to_train():
    assert [part.num_rows for part in split_by_time(numbered([2, 1]), "time", 0, 0)] == [2, 0, 0]


@pytest.mark.parametrize(
    "times",
    [
        [3.5, 1.5, 2.5],
        ["2024-03", "2024-01", "2024-02"],
        [datetime.date(2024, 3, 1), datetime.date(2024, 1, 1), datetime.date(2024, 2, 1)],
        [datetime.datetime(2024, 3, 1), datetime.datetime(2024, 1, 1), datetime.datetime(2024, 2, 1)],
        pa.chunked_array([[3], [], [1, 2]]),
    ],
)
def test_times_of_other_types(times):
    parts = split_by_time(pa.table({"time": times, "row": [3, 1, 2]}), "time", 0.3, 0.3)
    assert [part["row"].to_pylist() for part in parts] == [[1], [2], [3]]


@pytest.mark.parametrize(
    ("column", "valid", "test", "message"),
    [
        ("tme", 0.1, 0.1, "no column 'tme' to split by; did you mean 'time'"),
        ("holes", 0.1, 0.1, "'holes': 1 null times"),
        ("nans", 0.1, 0.1, "'nans': 1 null times"),
        ("lists", 0.1, 0.1, "'lists': expected times that can be ordered, found list"),
        ("time", -0.1, 0.1, r"valid: expected a share of the rows in \[0, 1\), found -0.1"),
        ("time", 0.1, 1.0, r"test: expected a share"),
        ("time", float("nan"), 0.1, "valid: expected a share"),
        ("time", 0.5, 0.5, "less than 1 together"),
        ("time", 0.1, 0.1, "3 parts needs as many rows, found 2"),
    ],
)
def test_what_cannot_work_is_refused(column, valid, test, message):
    table = pa.table({"time": [1, 2], "holes": [1, None], "nans": [1.0, float("nan")], "lists": [[1], [2]]})
    with pytest.raises(TableError, match=message):
        split_by_time(table, column, valid, test)


def test_no_rows_are_refused():
    with pytest.raises(TableError, match="1 parts needs as many rows, found 0"):
        split_by_time(numbered([]), "time", 0, 0)
