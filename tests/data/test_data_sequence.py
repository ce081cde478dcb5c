from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data import TableEncoder
from gatewise.declare import Binary, Categorical, Schema, Sequence
from gatewise.errors import TableError


def fit_table(features, **columns):
    rows = len(next(iter(columns.values())))
    schema = Schema(features=features, tasks=[Binary("y")])
    return TableEncoder.fit(schema, {**columns, "y": np.arange(rows) % 2})


def fit(column, **options):
    encoder, encoded = fit_table([Sequence("a", **options)], a=column)
    return encoder, rows(encoded.lists[0])


def rows(ragged):
    assert ragged.offsets[0] == 0
    assert ragged.offsets[-1] == len(ragged.values)
    assert ragged.values.dtype == np.int32
    return [ragged.values[a:b].tolist() for a, b in zip(ragged.offsets[:-1], ragged.offsets[1:], strict=True)]


def ids(encoder, column):
    return rows(encoder.encode({"a": column}, labels=False).lists[0])


ITEMS = st.text("abc", min_size=1, max_size=2)
LISTS = st.lists(st.none() | st.lists(ITEMS, max_size=4), min_size=2, max_size=12)


@settings(max_examples=25, deadline=None)
@given(LISTS)
def test_separated_strings_equal_lists(lists):
    strings = [None if items is None else "|".join(items) for items in lists]
    from_lists, found = fit(lists)
    from_strings, same = fit(strings)
    assert same == found
    assert from_strings.vocabularies["a"].values.to_pylist() == from_lists.vocabularies["a"].values.to_pylist()
    assert ids(from_lists, strings) == ids(from_strings, lists) == found
    assert [None if items is None else len(items) for items in lists] == [
        None if items is None else len(row) for items, row in zip(lists, found, strict=True)
    ]


@settings(max_examples=25, deadline=None)
@given(LISTS, st.integers(0, 3), st.sampled_from([pa.list_, pa.large_list, pa.list_view, pa.large_list_view]))
def test_slices_chunks_and_kinds_of_lists_are_encoded_alike(lists, cut, kind):
    encoder, found = fit(lists)
    column = pa.array(lists, kind(pa.string()))
    assert ids(encoder, column.slice(cut)) == found[cut:]
    assert ids(encoder, pa.chunked_array([column.slice(0, cut), column.slice(cut)])) == found


@settings(max_examples=25, deadline=None)
@given(LISTS, st.integers(1, 3), st.sampled_from(["first", "last"]))
def test_long_lists_are_cut_at_the_side_that_is_not_kept(lists, length, keep):
    cut = [items and (items[:length] if keep == "first" else items[-length:]) for items in lists]
    encoder, found = fit(lists, max_length=length, keep=keep)
    same, expected = fit(cut)
    assert found == expected
    assert encoder.state() == same.state()  # what is cut off is no value either


def test_null_lists_null_items_and_empty_lists():
    encoder, found = fit([["x", None], None, [], ["y"]])
    assert found == [[2, 1], [1], [], [3]]
    assert ids(encoder, [None, [None], ["new", "x"], []]) == [[1], [1], [0, 2], []]
    assert ids(encoder, [None]) == [[1]]
    assert ids(encoder, [[]]) == [[]]
    assert ids(encoder, []) == []


def test_empty_items_of_strings_are_none():
    assert fit(["", "|", " | x ||y", None], separator="|")[1] == [[], [], [2, 3], [1]]


@pytest.mark.parametrize("column", [[None, None], [[], None], ["", None], pa.nulls(2, pa.string())])
def test_a_column_without_an_item(column):
    encoder, found = fit(column)
    assert found[1] == [1]
    assert encoder.layout.fields[0].rows == 2
    assert ids(encoder, [["x"], None]) == ids(encoder, ["x", None]) == [[0], [1]]


def test_lists_of_a_fixed_size():
    column = pa.array([[9, 9], [1, 2], None, [2, 2]], pa.list_(pa.int32(), 2))
    encoder, found = fit(column.slice(1))
    assert found == [[3, 2], [1], [2, 2]]
    assert ids(encoder, np.array([[1, 2], [2, 9]])) == [[3, 2], [2, 0]]


@pytest.mark.parametrize("shared", [{}, {"min_count": 2}, {"hash_buckets": 50}])
def test_a_shared_table_gives_the_same_ids(shared):
    movie = [10, 11, 12, 10, 10]
    history = [[10, 11], [], None, [12, 99, None], [10]]
    for features in ([Categorical("movie", **shared), Sequence("history", shares="movie")],):
        for order in (features, features[::-1]):
            encoder, encoded = fit_table(order, movie=movie, history=history)
            row_of = dict(zip(movie, encoded.ids[:, 0].tolist(), strict=True)) | {None: 1}
            if shared.get("min_count") or not shared:
                row_of[99] = 0 if shared else 5
            found = rows(encoded.lists[0])
            assert found[0] == [row_of[10], row_of[11]]
            assert found[1:3] == [[], [1]]
            assert found[3][0] == row_of[12]
            assert found[3][1] == row_of.get(99, found[3][1])
            assert [field.name for field in encoder.layout.fields] == ["movie"]
            assert encoder.layout.lists[0].field == encoder.layout.ids[0][1] == 0


def test_values_of_all_who_share_are_learnt():
    encoder, encoded = fit_table(
        [Categorical("movie"), Sequence("history", shares="movie")], movie=[1, 2], history=[[3], [3, 2, 3]]
    )
    assert encoder.vocabularies["movie"].values.to_pylist() == [3, 2, 1]
    assert encoded.ids[:, 0].tolist() == [4, 3]


STRINGS = [
    ["1|2", None, "3"],
    pa.array(["1|2", None, "3"], pa.large_string()),
    pa.array(["1|2", None, "3"]).dictionary_encode(),
    pl.Series(["1|2", None, "3"]),
]


@pytest.mark.parametrize("column", STRINGS)
def test_integers_may_be_written_as_strings(column):
    encoder, _ = fit([[1], [2, 1]])
    assert ids(encoder, column) == [[2, 3], [1], [0]]


@pytest.mark.parametrize("column", STRINGS)
@pytest.mark.parametrize("shared", [{}, {"hash_buckets": 50}])
def test_integers_of_a_shared_table_may_be_written_as_strings_in_training_too(column, shared):
    features = [Sequence("history", shares="movie"), Categorical("movie", **shared)]
    encoder, encoded = fit_table(features, movie=[1, 2, 3], history=column)
    one, two, three = encoded.ids[:, 0].tolist()
    assert rows(encoded.lists[0]) == [[one, two], [1], [three]]
    assert rows(encoder.encode({"movie": [1], "history": [[3, 1]]}, labels=False).lists[0]) == [[three, one]]


@pytest.mark.parametrize(
    ("learnt", "column", "message"),
    [
        ([[1], [2]], ["1|b"], "expected integers between the separators: .*'b'"),
        ([[1], [2]], [["1"]], "found strings, its vocabulary was learnt from integers"),
        (["1|2", "3"], [[1]], "found integers, its vocabulary was learnt from strings"),
        (["1|2", "3"], [1], "expected lists, or strings parted by '|', found int64"),
        ([[1], [2]], [[1.0, 2.0], [], [3.0, 2.5]], r"an item: .*found 2\.5 in row 2"),
        ([[1], [2]], [[[1]]], "an item: .*found list"),
    ],
)
def test_what_is_no_list_of_keys_is_named(learnt, column, message):
    encoder, _ = fit(learnt)
    with pytest.raises(TableError, match=rf"^feature 'a'[:,] {message}".replace("|", r"\|")) as caught:
        encoder.encode({"a": column}, labels=False)
    assert "\n" not in str(caught.value)


def test_who_shares_a_table_holds_its_type():
    with pytest.raises(TableError, match="feature 'history': found strings, features that share its table hold integ"):
        fit_table([Categorical("m"), Sequence("history", shares="m")], m=[1, 2], history=[["a"], ["b"]])
