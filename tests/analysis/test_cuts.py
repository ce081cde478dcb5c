"""A table cut by a column: every row in one slice, names that a person can read."""

from __future__ import annotations

import datetime
import itertools

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from gatewise.analysis import cut_table
from gatewise.errors import DeclarationError, TableError


def cut(values: object, **options: object) -> dict[str, list[int]]:
    return {value: rows.tolist() for _, value, rows in cut_table(pa.table({"x": values}), ["x"], **options)}


def test_words_are_slices_the_most_frequent_first_and_nulls_the_last():
    assert cut(["b", None, "a", "b", "c", "a", "b"]) == {"b": [0, 3, 6], "a": [2, 5], "c": [4], "(null)": [1]}


def test_few_numbers_are_slices_in_order():
    assert cut([10, 2, None, 2, -1]) == {"-1": [4], "2": [1, 3], "10": [0], "(null)": [2]}


def test_many_numbers_are_cut_into_bins_of_equally_many_rows():
    found = cut(np.arange(100)[::-1].copy(), bins=4)
    assert {name: len(rows) for name, rows in found.items()} == {
        "0 to 24": 25,
        "25 to 49": 25,
        "50 to 74": 25,
        "75 to 99": 25,
    }
    assert sorted(found["0 to 24"]) == list(range(75, 100))


def test_equal_numbers_stay_together():
    found = cut([0] * 90 + list(range(1, 11)), bins=5)
    assert found["0"] == list(range(90))
    assert len(found) == 2


def test_fractions_have_as_many_digits_as_tell_bounds_apart():
    assert list(cut(pa.array(np.linspace(0, 1, 101)), bins=2)) == ["0 to 0.49", "0.5 to 1"]
    assert list(cut([0.12341, 0.12342, 0.12343], bins=2)) == ["0.12341", "0.12342 to 0.12343"]


def test_not_a_number_is_null():
    assert cut(np.array([1.0, np.nan, 2.0])) == {"1": [0], "2": [2], "(null)": [1]}


def test_what_is_beyond_the_limit_is_one_slice():
    values = ["a"] * 3 + ["b"] * 2 + ["c", "d", None]
    assert cut(values, limit=2) == {"a": [0, 1, 2], "b": [3, 4], "(other)": [5, 6], "(null)": [7]}
    assert "(other)" not in cut(values, limit=4)


def test_numbers_that_are_names_are_not_cut():
    table = pa.table({"id": np.repeat(np.arange(10), 2), "x": np.arange(20)})
    cuts = cut_table(table, ["id", "x"], bins=2, limit=3, keys=["id"])
    assert [(c.column, c.value) for c in cuts] == [
        ("id", "0"),
        ("id", "1"),
        ("id", "2"),
        ("id", "(other)"),
        ("x", "0 to 9"),
        ("x", "10 to 19"),
    ]


def test_days_booleans_and_dictionaries():
    days = [datetime.date(2024, 1, day) for day in range(1, 9)]
    assert list(cut(days, bins=2)) == ["2024-01-01 to 2024-01-04", "2024-01-05 to 2024-01-08"]
    assert cut([True, False, True]) == {"True": [0, 2], "False": [1]}
    assert cut(pa.array(["a", "b", "a"]).dictionary_encode()) == {"a": [0, 2], "b": [1]}


@given(st.lists(st.one_of(st.none(), st.integers(-5, 5), st.floats(allow_nan=True))), st.integers(1, 4))
def test_every_row_is_in_one_slice_and_bins_are_in_order(values, bins):
    floats = [None if value is None else float(value) for value in values]
    cuts = cut_table(pa.table({"x": pa.array(floats, pa.float64())}), ["x"], bins=bins)
    rows = torch.cat([c.rows for c in cuts] or [torch.empty(0)])
    assert sorted(rows.tolist()) == list(range(len(values)))
    parts = [[floats[row] for row in c.rows] for c in cuts if c.value != "(null)"]
    assert all(max(a) < min(b) for a, b in itertools.pairwise(parts))
    assert len(parts) <= max(bins, 1)
    assert len({c.value for c in cuts}) == len(cuts)


def test_what_cannot_be_cut_is_refused():
    with pytest.raises(TableError, match="slices by 'x': expected numbers, times, strings or booleans, found list"):
        cut([[1], [2]])
    with pytest.raises(TableError, match="slices by 'y': the table has no column 'y'"):
        cut_table(pa.table({"x": [1]}), ["y"])
    for options in ({"bins": 0}, {"limit": 0}):
        with pytest.raises(DeclarationError, match="of 1 or more, found 0"):
            cut([1], **options)
