from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data.values import as_keys, as_lists, as_numbers, distinct, distinct_keys
from gatewise.errors import TableError

LISTS = st.lists(st.none() | st.lists(st.none() | st.integers(-5, 5), max_size=4), max_size=12)
KINDS = [pa.list_, pa.large_list, pa.list_view, pa.large_list_view]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.none() | st.integers(-3, 3), max_size=20), st.integers(0, 3))
def test_distinct_values_and_codes_are_the_column(values, skip):
    split = distinct(pa.array(values, pa.int64()).slice(skip))
    known = [*split.values.to_pylist(), None]
    assert [known[code] for code in split.codes] == values[skip:]
    assert split.counts.tolist() == [values[skip:].count(value) for value in known[:-1]]


@pytest.mark.parametrize(("count", "bits"), [(1, 8), (255, 8), (256, 16), (65_535, 16), (65_536, 32)])
def test_codes_take_as_few_bits_as_hold_the_code_of_null(count, bits):
    values = pa.array([*range(count), None])
    split = distinct(values)
    assert split.codes.dtype.itemsize == bits // 8
    assert split.codes.tolist() == [*range(count + 1)]
    assert split.rows(np.arange(2, count + 2, dtype=np.int32)).tolist() == [*range(2, count + 2), 1]
    # of a dictionary column, too, whose dictionary may hold null
    again = distinct_keys(values.dictionary_encode(null_encoding="encode"), "feature 'a'")
    assert again.codes.tolist() == split.codes.tolist()


def test_the_rows_of_a_column():
    split = distinct(pa.array(["b", None, "a", "b"]))
    assert split.rows(np.array([7, 9], np.int32)).tolist() == [7, 1, 9, 7]
    assert distinct(pa.nulls(2)).rows(np.empty(0, np.int32)).tolist() == [1, 1]


@pytest.mark.parametrize(
    ("column", "keys"),
    [
        (pa.array([1, None, -2], pa.int8()), [1, None, -2]),
        (pa.array([2**32 - 1], pa.uint32()), [2**32 - 1]),
        (pa.array([2**63 + 5, 2**64 - 1, 7, None], pa.uint64()), [5 - 2**63, -1, 7, None]),
        (pa.array([True, False, None]), [1, 0, None]),
        (pa.array([3.0, None, -(2.0**52)]), [3, None, -(2**52)]),
        (pa.array([16_777_215.0], pa.float32()), [16_777_215]),
        (pa.array([1.0, 2.0, 3.0, None])[1:], [2, 3, None]),
        (pa.array(["a", None, ""], pa.string_view()), ["a", None, ""]),
        (pa.array(["a", "b", None, "a"]).dictionary_encode()[1:], ["b", None, "a"]),
        (pa.array([7, 8, 7]).dictionary_encode(), [7, 8, 7]),
        (pa.array([0], pa.date32()), ["1970-01-01"]),
        (pa.nulls(2), [None, None]),
    ],
)
def test_keys_are_integers_or_strings(column, keys):
    found = as_keys(column, "feature 'a'")
    assert found.type in (pa.int64(), pa.string(), pa.large_string(), pa.null())
    assert found.to_pylist() == keys


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([1.0, 1.5]), r"found 1\.5 in row 1"),
        (pa.array([1.0, float("nan")]), "found nan in row 1"),
        (pa.array([float("inf")]), "found inf in row 0"),
        (
            pa.array([0, 2**24], pa.float32()),
            r"found 16777216\.0 in row 1 \(float is exact for ids below 16777216 only\)",
        ),
        (pa.array([2.0**53]), "exact for ids below 9007199254740992 only"),
        (pa.array(np.array([2048], np.float16)), "exact for ids below 2048 only"),
        (pa.array([[1]]), r"found list<.*> \(declare it as a Sequence or a Vector\)"),
        (pa.array([b"a"]), "found binary"),
        (pa.array([0], pa.timestamp("s")), "found timestamp"),
        (pa.array([{"a": 1}]), "found struct"),
    ],
)
def test_what_is_no_key_is_named(column, message):
    with pytest.raises(TableError, match=rf"^feature 'a': expected integers.*{message}"):
        as_keys(column, "feature 'a'")


@pytest.mark.parametrize(
    ("column", "numbers"),
    [
        (pa.array([1, None, -2], pa.int16()), [1, None, -2]),
        (pa.array([2**64 - 1], pa.uint64()), [float(2**64)]),
        (pa.array([0.5, 2.0, None])[1:], [2.0, None]),
        (pa.array([True, None]), [1, None]),
        (pa.array([True, None, False]).dictionary_encode(), [1, None, 0]),
        (pa.array([1.5, None, 1.5]).dictionary_encode(), [1.5, None, 1.5]),
        (pa.array(np.array([0.5], np.float16)), [0.5]),
        (pa.array([1, None]).cast(pa.decimal128(30, 2)), [1, None]),
        (pa.nulls(1), [None]),
        (pa.array([], pa.float32()), []),
    ],
)
def test_numbers_and_their_nulls(column, numbers):
    values, missing = as_numbers(column, "feature 'a'")
    assert values.dtype == np.float64
    assert values.tolist() == [number or 0 for number in numbers]
    assert missing.tolist() == [number is None for number in numbers]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([0.0, float("nan"), float("nan")]), "found nan in row 1 and 1 more, expected finite numbers or null"),
        (pa.array([None, float("-inf")], pa.float32()), "found -inf in row 1, expected finite numbers or null"),
        (pa.array([1e39]), r"found 1e\+39 in row 0, expected finite"),
        (pa.array(["1"]), "expected numbers, found string"),
        (pa.array(["1"]).dictionary_encode(), "expected numbers, found string"),
        (pa.array([[1.0]]), "expected numbers, found list.*declare it as a Sequence or a Vector"),
        (pa.array([0], pa.date32()), "expected numbers, found date32"),
    ],
)
def test_what_is_no_number_is_named(column, message):
    with pytest.raises(TableError, match=rf"^feature 'a': {message}"):
        as_numbers(column, "feature 'a'")


@settings(max_examples=25, deadline=None)
@given(LISTS, st.integers(0, 3), st.sampled_from(KINDS))
def test_lists_of_all_kinds_and_slices_of_them_stay_the_same(lists, skip, kind):
    column = pa.array(lists, kind(pa.int64())).slice(skip)
    found = as_lists(column, "|", "feature 'a'")
    found.validate(full=True)
    assert found.type == pa.large_list(pa.int64())
    assert found.to_pylist() == lists[skip:]
    assert len(found.values) == sum(len(row) for row in lists[skip:] if row)


def test_lists_of_a_fixed_size():
    column = pa.array([[9, 9], [1, 2], None, [3, 4]], pa.list_(pa.int64(), 2))[1:]
    assert as_lists(column, "|", "feature 'a'").to_pylist() == [[1, 2], None, [3, 4]]


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.none() | st.lists(st.text("ab é", max_size=3), max_size=4), max_size=10),
    st.sampled_from(["|", ", ", ";;"]),
    st.integers(0, 2),
    st.sampled_from([pa.string(), pa.large_string(), pa.string_view()]),
)
def test_strings_are_split_trimmed_and_empty_items_dropped(rows, separator, skip, dtype):
    column = pa.array([None if row is None else separator.join(row) for row in rows], dtype).slice(skip)
    expected = [
        None if text is None else [item.strip() for item in text.split(separator) if item.strip()]
        for text in column.to_pylist()
    ]
    assert as_lists(column, separator, "feature 'a'").to_pylist() == expected
    if len(column):
        encoded = column.cast(pa.string()).dictionary_encode()
        assert as_lists(encoded, separator, "feature 'a'").to_pylist() == expected


def test_what_is_no_list_is_named():
    with pytest.raises(TableError, match=r"^feature 'a': expected lists, or strings parted by ';', found int64"):
        as_lists(pa.array([1]), ";", "feature 'a'")
