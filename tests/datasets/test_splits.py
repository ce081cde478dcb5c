from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.datasets import split_at, split_at_random, split_by_group, split_by_time
from gatewise.errors import GatewiseWarning, TableError

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


@settings(deadline=None)
@given(st.lists(st.integers(0, 8), min_size=1, max_size=40), st.integers(1, 7), st.integers(1, 7))
def test_given_times_cut_where_they_say(times, valid_from, length):
    test_from = valid_from + length
    wanted = [
        sorted(time for time in times if time < valid_from),
        sorted(time for time in times if valid_from <= time < test_from),
        sorted(time for time in times if time >= test_from),
    ]
    if all(wanted):
        parts = split_at(numbered(times), "time", valid_from, test_from)
        assert [times_of(part) for part in parts] == wanted
        rows = [row for part in parts for row in part["row"].to_pylist()]
        assert rows == sorted(range(len(times)), key=lambda row: times[row])
    else:
        with pytest.raises(TableError, match=r"column 'time': no row .*; found \d to \d"):
            split_at(numbered(times), "time", valid_from, test_from)


def test_either_time_may_be_left_out():
    parts = split_at(numbered([3, 1, 2]), "time", valid_from=2)
    assert [times_of(part) for part in parts] == [[1], [2, 3], []]
    parts = split_at(numbered([3, 1, 2]), "time", test_from=3)
    assert [times_of(part) for part in parts] == [[1, 2], [], [3]]


DAYS = [datetime.date(2024, 3, 1), datetime.date(2024, 1, 1), datetime.date(2024, 2, 1)]
MOMENTS = [datetime.datetime(day.year, day.month, day.day) for day in DAYS]


@pytest.mark.parametrize(
    ("times", "valid_from", "test_from"),
    [
        ([3.5, 1.5, 2.5], 2, 3),
        ([3, 1, 2], 1.5, 3.0),
        (["2024-03", "2024-01", "2024-02"], "2024-02", "2024-03"),
        (["2024-03-01", "2024-01-01", "2024-02-01"], datetime.date(2024, 2, 1), datetime.date(2024, 3, 1)),
        (DAYS, datetime.date(2024, 2, 1), datetime.date(2024, 3, 1)),
        (DAYS, "2024-02-01", "2024-03-01"),
        (MOMENTS, datetime.date(2024, 2, 1), datetime.datetime(2024, 2, 1, 12)),
        (MOMENTS, "2024-02-01", "2024-02-01 12:00"),
        (["3", "1", "2"], 2, 3),
    ],
)
def test_given_times_of_other_types(times, valid_from, test_from):
    parts = split_at(pa.table({"time": times, "row": [3, 1, 2]}), "time", valid_from, test_from)
    assert [part["row"].to_pylist() for part in parts] == [[1], [2], [3]]


@pytest.mark.parametrize(
    ("column", "bounds", "message"),
    [
        ("tme", (2, 3), "no column 'tme' to split by; did you mean 'time'"),
        ("holes", (2, 3), "'holes': 1 null times"),
        ("time", ("May", 3), "'time': expected a bound that compares with int64, found 'May'"),
        ("day", (2, 3), r"'day': expected a bound that compares with date32\[day\], found 3"),
        ("time", (1, 3), "'time': no row before 1, so none to train on; found 1 to 3"),
        ("time", (None, 1), "'time': no row before 1, so none to train on; found 1 to 3"),
        ("time", (4, None), "'time': no row from 4 on; found 1 to 3"),
        ("time", (3, 3), "'time': no row from 3 on and before 3; found 1 to 3"),
        ("time", (3, 2), "'time': no row from 3 on and before 2; found 1 to 3"),
        ("time", (2, 4), "'time': no row from 4 on; found 1 to 3"),
    ],
)
def test_given_times_that_cannot_work_are_refused(column, bounds, message):
    table = pa.table({"time": [1, 2, 3], "holes": [1, None, 2], "day": sorted(DAYS)})
    with pytest.raises(TableError, match=message) as caught:
        split_at(table, column, *bounds)
    assert "\n" not in str(caught.value)


@settings(deadline=None)
@given(st.integers(3, 60), SHARES, SHARES, st.integers(0, 5))
def test_a_random_cut_is_a_partition_in_order(rows, valid, test, seed):
    table = numbered(range(rows))
    parts = [part["row"].to_pylist() for part in split_at_random(table, seed, valid, test)]
    assert sorted(row for part in parts for row in part) == list(range(rows))
    assert all(part == sorted(part) for part in parts)
    assert [bool(part) for part in parts] == [True, valid > 0, test > 0]
    if rows >= 20 and valid != 0.01 != test:
        assert abs(len(parts[1]) - valid * rows) <= 1
        assert abs(len(parts[2]) - test * rows) <= 1


def test_a_random_cut_is_the_same_however_the_table_lies():
    whole = numbered(range(1000))
    pieces = pa.concat_tables([whole.slice(start, 7) for start in range(0, 1000, 7)])
    first = split_at_random(whole, seed=3)
    assert all(a.equals(b) for a, b in zip(first, split_at_random(pieces, seed=3), strict=True))
    assert not first[2].equals(split_at_random(whole, seed=4)[2])


def test_a_random_cut_never_changes():
    _, valid, test = split_at_random(numbered(range(20)), seed=0, valid=0.1, test=0.2)
    assert (valid["row"].to_pylist(), test["row"].to_pylist()) == ([4, 10], [5, 9, 12, 16])


@pytest.mark.parametrize(
    ("rows", "valid", "test", "message"),
    [
        (9, 1.0, 0.1, r"valid: expected a share"),
        (9, 0.5, 0.5, "less than 1 together"),
        (2, 0.1, 0.1, "3 parts needs as many rows, found 2"),
        (0, 0, 0, "1 parts needs as many rows, found 0"),
    ],
)
def test_a_random_cut_that_cannot_work_is_refused(rows, valid, test, message):
    with pytest.raises(TableError, match=message):
        split_at_random(numbered(range(rows)), 0, valid, test)


DATES = [datetime.date(2024, 1, day) for day in (3, 1, 2, 4, 5)]
TRIPS = {"day": DATES, "city": ["c", "a", "b", "d", None], "row": [0, 1, 2, 3, 4]}
TRIPS_FROM = {
    "dict": lambda: TRIPS,
    "rows": lambda: pa.table(TRIPS).to_pylist(),
    "pandas": lambda: pd.DataFrame(TRIPS),
    "polars": lambda: pl.DataFrame(TRIPS),
    "polars as Arrow": lambda: pa.table(pl.DataFrame(TRIPS)),
    "stream": lambda: pa.table(TRIPS).to_reader(),
    "dictionary": lambda: pa.table(TRIPS | {"day": pa.array(DATES).dictionary_encode()}),
}


@pytest.mark.parametrize("kind", TRIPS_FROM)
def test_any_table_is_split(kind):
    rows = [part["row"].to_pylist() for part in split_by_time(TRIPS_FROM[kind](), "day", 0.2, 0.2)]
    assert rows == [[1, 2, 0], [3], [4]]
    parts = split_at(TRIPS_FROM[kind](), "day", "2024-01-03", "2024-01-05")
    assert [part["row"].to_pylist() for part in parts] == [[1, 2], [0, 3], [4]]
    assert parts[2]["city"].to_pylist() == [None]
    expected = split_at_random(pa.table(TRIPS), 3, 0.2, 0.2)
    for found, part in zip(split_at_random(TRIPS_FROM[kind](), 3, 0.2, 0.2), expected, strict=True):
        assert found["row"].to_pylist() == part["row"].to_pylist()


def test_a_file_is_split(tmp_path):
    pd.DataFrame(TRIPS).to_csv(tmp_path / "a.csv", index=False)
    assert [len(part) for part in split_by_time(tmp_path / "a.csv", "day", 0.2, 0.2)] == [3, 1, 1]


def test_a_column_that_no_table_holds_is_left_out_and_named():
    frame = pd.DataFrame(TRIPS).assign(note=["x", 7, None, 1, 2], thing=[object()] * 5)
    with pytest.warns(GatewiseWarning, match="columns 'note', 'thing' hold what Arrow cannot hold, and are left out"):
        parts = split_by_time(frame, "day")
    assert parts[0].column_names == ["day", "city", "row"]
    with pytest.raises(TableError, match="column 'note'"), pytest.warns(GatewiseWarning):
        split_by_time(frame, "note")
    with pytest.raises(TableError, match="column 'row' has 2 rows"):
        split_by_time(TRIPS | {"row": [1, 2]}, "day")


@pytest.mark.parametrize("source", [3, "absent.csv"], ids=["number", "no file"])
def test_what_is_no_table_is_not_split(source):
    with pytest.raises(TableError, match=r"^table"):
        split_by_time(source, "day")


def split_by_group_members(table: pa.Table) -> list[set[int]]:
    """Return the groups of every part, of shares that no number of whole groups has."""
    parts = split_by_group(table, "patient", seed=0, valid=0.17, test=0.13)
    return [set(part["patient"].to_pylist()) for part in parts]


def test_a_split_by_group_keeps_groups_whole_and_rows_in_order():
    table = pa.table({"patient": np.repeat(np.arange(150), 7)[::-1], "row": np.arange(1050)})
    parts = split_by_group(table, "patient", seed=0, valid=0.2, test=0.1)
    members = [set(part["patient"].to_pylist()) for part in parts]
    # a part begins with the next whole group: 105 and 210 rows are wanted, 7 stand together
    assert [part.num_rows for part in parts] == [735, 210, 105]
    assert sum(map(len, split_by_group_members(table))) == 150
    assert set.union(*members) == set(range(150))
    assert all((np.diff(part["row"].to_numpy()) > 0).all() for part in parts)
    assert not split_by_group(table, "patient", seed=1)[2].equals(split_by_group(table, "patient", seed=2)[2])


def test_groups_may_be_texts_categories_and_null():
    names = pa.array(["a", "b", None, "c"] * 5)
    for column in (names, names.dictionary_encode()):
        parts = split_by_group(pa.table({"who": column}), "who", seed=0, valid=0.25, test=0.25)
        assert sorted(part.num_rows for part in parts) == [5, 5, 10]


@pytest.mark.parametrize(
    ("groups", "column", "said"),
    [
        ([1, 1, 2, 2], "who", "a split into 3 parts needs as many groups, found 2"),
        ([1, 2, 3], "hwo", "no column 'hwo' to split by; did you mean 'who'?"),
    ],
)
def test_too_few_groups_or_a_wrong_name_are_one_line(groups, column, said):
    with pytest.raises(TableError) as error:
        split_by_group(pa.table({"who": groups}), column, seed=0)
    assert said in str(error.value)
