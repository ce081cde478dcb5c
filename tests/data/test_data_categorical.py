from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data import TableEncoder
from gatewise.declare import Binary, Categorical, Schema
from gatewise.errors import TableError


def fit(column, **options):
    labels = np.arange(len(column)) % 2
    schema = Schema(features=[Categorical("a", **options)], tasks=[Binary("y")])
    encoder, encoded = TableEncoder.fit(schema, {"a": column, "y": labels})
    return encoder, encoded.ids[:, 0].tolist()


def ids(encoder, column):
    return encoder.encode({"a": column}, labels=False).ids[:, 0].tolist()


TEXTS = st.lists(st.none() | st.text(max_size=3), min_size=2, max_size=20)
NUMBERS = st.lists(st.none() | st.integers(-9, 9), min_size=2, max_size=20)


@settings(max_examples=25, deadline=None)
@given(TEXTS | NUMBERS)
def test_known_values_have_rows_of_their_own_and_null_has_its_own(values):
    encoder, found = fit(values)
    row_of = dict(zip(values, found, strict=True))
    assert row_of.pop(None, 1) == 1
    assert sorted(row_of.values()) == list(range(2, len(row_of) + 2))
    assert [row_of.get(value, 1) for value in values] == found
    assert ids(encoder, values) == found
    assert encoder.layout.fields[0].rows == len(row_of) + 2


@settings(max_examples=25, deadline=None)
@given(st.lists(st.none() | st.integers(-9, 9), min_size=3, max_size=20), st.integers(0, 20))
def test_slices_and_chunks_are_encoded_like_the_whole(values, cut):
    encoder, found = fit(pa.array(values, pa.int64()))
    column = pa.array(values, pa.int64())
    assert ids(encoder, column.slice(cut)) == found[cut:]
    assert ids(encoder, pa.chunked_array([column.slice(0, cut), column.slice(cut)])) == found
    assert ids(encoder, column.dictionary_encode().slice(cut)) == found[cut:]


def test_chunks_with_dictionaries_of_their_own():
    chunks = [pa.array(["b", "a"]).dictionary_encode(), pa.array(["a", None]).dictionary_encode()]
    assert fit(pa.chunked_array(chunks))[1] == [3, 2, 2, 1]


DICTIONARIES = [
    pa.array(["b", None, "a", "b"]).dictionary_encode(),
    pa.DictionaryArray.from_arrays(pa.array([0, None, 1, 2]), pa.array(["b", "a", "b"])),
    pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, 0], pa.uint8()), pa.array(["b", None, "a"])),
    pa.DictionaryArray.from_arrays(pa.array([0, None, 1, 0], pa.int8()), pa.array(["b", "a", *map(str, range(126))])),
    pd.Series(["b", None, "a", "b"], dtype="category"),
    pl.Series(["b", None, "a", "b"], dtype=pl.Categorical),
]


@pytest.mark.parametrize("column", DICTIONARIES)
@pytest.mark.parametrize("options", [{}, {"min_count": 2}, {"hash_buckets": 50}])
def test_a_dictionary_is_encoded_like_the_values_that_it_stands_for(column, options):
    encoder, found = fit(["b", None, "a", "b"], **options)
    same, encoded = fit(column, **options)
    assert encoded == found
    assert same.state() == encoder.state()
    assert ids(encoder, column) == found
    assert ids(fit(["a", "c"])[0], column) == [0, 1, 2, 0]


def test_what_stands_in_a_dictionary_alone_is_no_value():
    unused = pa.DictionaryArray.from_arrays(pa.array([1, 2, 1]), pa.array([0.5, 1.0, 2.0]))
    assert fit(unused)[1] == [2, 3, 2]
    assert fit(unused)[0].vocabularies["a"].values.to_pylist() == [1, 2]


@pytest.mark.parametrize("known", [[1, 2], ["x", "y"], [None, None]])
def test_unseen_values_null_and_no_rows(known):
    encoder, _ = fit(known)
    unseen = ["z"] if known[0] == "x" else [99]
    assert ids(encoder, unseen) == [0]
    assert ids(encoder, [*unseen, None, *known]) == [0, 1, *ids(encoder, known)]
    assert ids(encoder, [None]) == [1]
    assert ids(encoder, []) == []
    assert ids(encoder, pa.chunked_array([], pa.null())) == []


def test_ids_stay_integers():
    big = [16_777_216, 16_777_217, 2**53, 2**53 + 1]
    encoder, found = fit(big)
    assert len(set(found)) == 4
    assert ids(encoder, np.array(big)) == found


def test_unsigned_hash_ids_differ():
    values = np.array([2**63, 2**63 + 1, 2**64 - 1, 1], np.uint64)
    encoder, found = fit(values)
    assert len(set(found)) == 4
    assert ids(encoder, values[::-1]) == found[::-1]
    assert ids(encoder, np.array([2**64 - 2], np.uint64)) == [0]


def test_integers_with_missing_values_that_pandas_made_floats():
    frame = pd.DataFrame({"a": [3, None, 2, 3], "y": [0, 1, 0, 1]})
    assert frame["a"].dtype == np.float64
    schema = Schema(features=[Categorical("a")], tasks=[Binary("y")])
    encoder, encoded = TableEncoder.fit(schema, frame)
    assert encoded.ids[:, 0].tolist() == [2, 1, 3, 2]
    assert ids(encoder, [3, None, 2]) == [2, 1, 3]
    assert ids(encoder, frame["a"]) == [2, 1, 3, 2]


def test_float32_ids_that_are_not_exact_are_refused():
    with pytest.raises(TableError, match=r"feature 'a': .*found 16777216\.0 in row 1"):
        fit(np.array([1, 16_777_217], np.float32))


def test_truth_values_are_categories():
    encoder, found = fit([True, False, None, True])
    assert found == [2, 3, 1, 2]
    assert ids(encoder, [1, 0]) == [2, 3]


def test_rare_values_share_the_row_of_unseen_ones():
    encoder, found = fit(["a", "b", "a", "c", "c"], min_count=2)
    assert found == [2, 0, 2, 3, 3]
    assert encoder.layout.fields[0].rows == 4


@pytest.mark.parametrize(("known", "other"), [([1, 2], ["1"]), (["1", "2"], [1]), ([1, 2], [[1]]), ([1, 2], [1.5])])
@pytest.mark.parametrize("hashed", [{}, {"hash_buckets": 10}])
def test_another_type_than_was_learnt_is_an_error(known, other, hashed):
    encoder, _ = fit(known, **hashed)
    with pytest.raises(TableError, match=r"^feature 'a': .*found ") as caught:
        encoder.encode({"a": other}, labels=False)
    assert "\n" not in str(caught.value)


def test_hashed_values_need_no_vocabulary():
    encoder, found = fit(["a", "b", None, "a"], hash_buckets=100)
    assert found[0] == found[3] != found[1]
    assert found[2] == 1
    assert ids(encoder, ["never seen", "a"])[1] == found[0]
    assert ids(encoder, ["never seen"])[0] >= 2
    assert encoder.layout.fields[0].rows == 102


@pytest.mark.parametrize("options", [{}, {"hash_buckets": 9}, {"size": 8}, {"dtype": "string"}])
@pytest.mark.parametrize("turned", [False, True])
def test_features_that_share_a_table_have_one_row_per_value(options, turned):
    features = [Categorical("seller", shares="user"), Categorical("user", dim=4, **options)]
    schema = Schema(features=features[::-1] if turned else features, tasks=[Binary("y")])
    table = {"user": [1, 2, 3, None], "seller": [3, 5, 1, 1], "y": [0, 1, 0, 1]}
    encoder, encoded = TableEncoder.fit(schema, table)
    place = dict(zip(encoder.layout.id_features, encoded.ids.T.tolist(), strict=True))
    assert place["seller"][::2] == [place["user"][2], place["user"][0]]
    assert place["seller"][1] > 1
    assert [(field.name, field.dim) for field in encoder.layout.fields] == [("user", 4)]
    assert {field for _, field in encoder.layout.ids} == {0}
    again = TableEncoder.from_state(schema, encoder.state())
    np.testing.assert_array_equal(again.encode(table, labels=False).ids, encoded.ids)
    grown = encoder.extended({"user": [1, 2], "seller": [7, 7]})
    assert grown.vocabularies["user"].rows == encoder.vocabularies["user"].rows + ("hash_buckets" not in options) * (
        "size" not in options
    )


def test_codes_of_a_shared_table_are_read_as_texts_too(tmp_path):
    features = [Categorical("home", dtype="string"), Categorical("away", shares="home")]
    path = tmp_path / "codes.csv"
    path.write_text("home,away,y\n07,7\n".replace("7\n", "7,0\n") + "7,07,1\n", encoding="utf-8")
    _, encoded = TableEncoder.fit(Schema(features=features, tasks=[Binary("y")]), path)
    assert encoded.ids.tolist() == [encoded.ids[1, ::-1].tolist(), encoded.ids[0, ::-1].tolist()]
    assert encoded.ids[0, 0] != encoded.ids[0, 1]
