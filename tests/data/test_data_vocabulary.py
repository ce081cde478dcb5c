from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatewise.data import TableEncoder
from gatewise.data.vocabularies import (
    HashedVocabulary,
    Rules,
    Seen,
    Vocabulary,
    stored,
    turned_over,
    vocabulary_from_state,
)
from gatewise.data.vocabularies import learnt as module
from gatewise.data.vocabularies.search_keys import search_keys
from gatewise.data.vocabularies.sorted_index import SortedIndex, is_distinct
from gatewise.declare import Binary, Categorical, Schema
from gatewise.errors import ArtefactError
from gatewise.layout import NULL

WORDS = st.lists(st.text(max_size=4), unique=True, min_size=1, max_size=20)
NUMBERS = st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, min_size=1, max_size=20)


def arrow(values):
    return pa.array(values, pa.large_string() if any(isinstance(value, str) for value in values) else pa.int64())


def extended(vocabulary, values, counts):
    return turned_over(vocabulary, Seen.fresh(vocabulary), values, counts, Rules(), a_day=False)[0]


def learn(values, counts=None, min_count=1):
    return Vocabulary.learn(arrow(values), np.array(counts or [1] * len(values)), min_count)


@settings(max_examples=25, deadline=None)
@given(WORDS | NUMBERS, st.data())
def test_from_value_to_row_and_back(values, data):
    cut = data.draw(st.integers(1, len(values)))
    vocabulary = learn(values[:cut])
    rows = vocabulary.lookup(arrow(values))
    assert rows.dtype == np.int32
    assert vocabulary.rows == cut + 2
    assert sorted(rows[:cut]) == list(range(2, cut + 2))
    assert [vocabulary.values[row - 2].as_py() for row in rows[:cut].tolist()] == values[:cut]
    assert not rows[cut:].any()


@settings(max_examples=25, deadline=None)
@given(WORDS | NUMBERS, st.integers(0, 2))
def test_few_values_and_many_are_looked_up_alike(values, skip):
    vocabulary = learn(values[::2])
    found = arrow(values).slice(skip)
    few = vocabulary.lookup(found)
    module_limit, module.SMALL_LOOKUP = module.SMALL_LOOKUP, 0
    try:
        many = vocabulary.lookup(found)
    finally:
        module.SMALL_LOOKUP = module_limit
    assert few.dtype == many.dtype == np.int32
    assert few.tolist() == many.tolist()


def test_the_small_lookup_is_the_default_for_a_few_values_alone():
    vocabulary = learn(list(range(10)))
    vocabulary.lookup(pa.array(range(module.SMALL_LOOKUP + 1)))
    assert not vocabulary._row_of
    vocabulary.lookup(pa.array([1]))
    assert len(vocabulary._row_of) == 10


@pytest.mark.parametrize("limit", [0, module.SMALL_LOOKUP])
@pytest.mark.parametrize("dtype", [pa.string(), pa.large_string()])
def test_a_column_is_looked_up_with_its_nulls(monkeypatch, limit, dtype):
    monkeypatch.setattr(module, "SMALL_LOOKUP", limit)
    column = pa.array(["?", "b", None, "a", "b", None], dtype)
    expected = [0, 3, 1, 2, 3, 1]
    assert learn(["a", "b"]).rows_of(column).tolist() == expected
    assert learn(["a", "b"]).rows_of(column[1:4]).tolist() == expected[1:4]
    assert Vocabulary(pa.nulls(0)).rows_of(column).tolist() == [0, 0, 1, 0, 0, 1]
    assert learn(["a", "b"]).rows_of(pa.nulls(2)).tolist() == [1, 1]
    hashed = HashedVocabulary(9)
    found = hashed.rows_of(column).tolist()
    assert found == [1 if value is None else hashed.lookup(arrow([value]))[0] for value in column.to_pylist()]


@pytest.mark.parametrize("limit", [0, module.SMALL_LOOKUP])
def test_a_lookup_before_growing_does_not_hide_what_is_new(monkeypatch, limit):
    monkeypatch.setattr(module, "SMALL_LOOKUP", limit)
    old = learn(["a", "b"])
    assert old.lookup(arrow(["a", "c"])).tolist() == [2, 0]
    new = extended(old, arrow(["c"]), np.array([1]))
    assert new.lookup(arrow(["a", "b", "c"])).tolist() == [2, 3, 4]
    assert old.lookup(arrow(["a", "b", "c"])).tolist() == [2, 3, 0]


def test_threads_that_look_up_first_find_all_values():
    values = pa.array(range(100_000))
    last = values[-5:]
    for _ in range(5):
        vocabulary = Vocabulary(values)
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda _, v=vocabulary: v.lookup(last).tolist(), range(8)))
        assert found == [list(range(99_997, 100_002))] * 8


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-4, 4), st.integers(1, 3)), min_size=1), st.integers(1, 4), st.booleans())
def test_learning_counts_sorts_and_cuts(seen, min_count, as_text):
    counts = Counter()
    for value, count in seen:
        counts[str(value) if as_text else value] += count
    kept = sorted((value for value in counts if counts[value] >= min_count), key=lambda v: (-counts[v], v))
    values = pa.array([value for value, _ in seen])
    values = values.cast(pa.large_string()) if as_text else values
    learnt = Vocabulary.learn(values, np.array([count for _, count in seen]), min_count)
    assert learnt.values.to_pylist() == kept
    assert learnt.type == values.type


def test_learning_and_encoding_a_long_table_keep_no_second_copy_of_the_vocabulary():
    schema = Schema(features=[Categorical("a")], tasks=[Binary("y")])
    table = {"a": np.arange(2000), "y": np.arange(2000) % 2}
    encoder, _ = TableEncoder.fit(schema, table)
    encoder.encode(table)
    assert not encoder.vocabularies["a"]._row_of


def test_frequent_values_come_first_and_equals_by_value():
    assert learn(["b", "c", "a", "d"], [2, 1, 2, 9]).values.to_pylist() == ["d", "a", "b", "c"]
    assert learn([7, -1, 7, 5], [1, 1, 1, 1]).values.to_pylist() == [7, -1, 5]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(values, random):
    shuffled = random.sample(values, len(values))
    assert learn(values) == learn(shuffled)


@pytest.mark.parametrize(("min_count", "kept"), [(1, [5, 6, 7]), (2, [5, 6]), (3, [5]), (4, [])])
def test_rare_values_are_out_of_vocabulary(min_count, kept):
    vocabulary = learn([5, 6, 7], [3, 2, 1], min_count)
    assert vocabulary.values.to_pylist() == kept
    assert (vocabulary.lookup(pa.array([5, 6, 7])) >= 2).sum() == len(kept)
    assert vocabulary.type == pa.int64()


def test_values_that_float32_cannot_tell_apart_differ():
    low, high = learn([16_777_216, 16_777_217]).lookup(pa.array([16_777_216, 16_777_217]))
    assert low != high


@settings(max_examples=25, deadline=None)
@given(WORDS | NUMBERS, st.data())
def test_new_values_go_to_the_end(values, data):
    cut = data.draw(st.integers(1, len(values)))
    old = learn(values[:cut])
    new = extended(old, arrow(values), np.ones(len(values), np.int64))
    assert new.values[:cut].equals(old.values)
    assert new.rows == len(values) + 2
    assert sorted(new.lookup(arrow(values))) == list(range(2, len(values) + 2))
    assert extended(new, arrow(values), np.ones(len(values), np.int64)) == new


def test_nothing_learnt_may_be_extended():
    nothing = Vocabulary(pa.nulls(0))
    assert nothing.lookup(arrow(["a"])).tolist() == [0]
    assert extended(nothing, arrow(["a"]), np.array([1])).lookup(arrow(["a"])).tolist() == [2]
    assert extended(nothing, pa.nulls(0), np.array([], np.int64)) == nothing
    assert extended(learn([4]), pa.nulls(0), np.array([], np.int64)) == learn([4])


@pytest.mark.parametrize(
    "vocabulary",
    [
        learn(["ä", "", "null"]),
        learn([2**63 - 1, -(2**63)]),
        learn([5], [1], 2),
        Vocabulary(pa.nulls(0)),
        HashedVocabulary(7, pa.int64()),
        HashedVocabulary(7, pa.large_string()),
        HashedVocabulary(7),
    ],
)
def test_the_state_goes_to_json_and_back(vocabulary):
    again = vocabulary_from_state(json.loads(json.dumps(stored.plain(vocabulary.state()))))
    assert again == vocabulary
    assert again.type == vocabulary.type
    # or its values go to an Arrow file
    state, values = stored.taken_apart({"user": vocabulary.state()})
    read = stored.read(stored.written(values))
    again = vocabulary_from_state(stored.put_together(json.loads(json.dumps(state)), read)["user"])
    assert again == vocabulary
    assert again.type == vocabulary.type


def test_names_of_features_say_nothing_about_where_values_are():
    names = ["learnt", "values", "count"]
    learnt = {name: {"values": "integer", "learnt": pa.array([k])} for k, name in enumerate(names)}
    whole = {"features": {"learnt": {"vocabularies": learnt}}, "vocabularies": {"vocabularies": learnt["count"]}}
    state, values = stored.taken_apart(whole)
    assert values.keys() == {"learnt", "values", "count", "vocabularies"}
    assert stored.put_together(json.loads(json.dumps(state)), values) == whole


def test_a_null_is_no_learnt_value():
    with pytest.raises(ArtefactError, match="null"):
        vocabulary_from_state({"values": "integer", "learnt": [1, None]})


@pytest.mark.parametrize("buckets", [2, 3, 1000, 2_147_483_000])
def test_hashed_rows_are_in_range(buckets):
    hashed = HashedVocabulary(buckets)
    assert hashed.rows == buckets + 2
    for values in (pa.array(range(5000)), pa.array([f"ü{i}" for i in range(5000)])):
        rows = hashed.lookup(values)
        assert rows.dtype == np.int32
        assert rows.min() >= 2
        assert rows.max() < hashed.rows
        if buckets < 1000:
            assert set(rows) == set(range(2, buckets + 2))
    assert len(hashed.lookup(pa.nulls(0))) == 0


@pytest.mark.parametrize("kind", ["integers", "strings"])
def test_many_values_of_a_large_vocabulary_are_found_as_one_by_one(kind: str) -> None:
    rng = np.random.default_rng(0)
    numbers = rng.permutation(60_000) - 30_000
    make = (lambda found: found.tolist()) if kind == "integers" else (lambda found: [f"v{n}" for n in found])
    known, asked = make(numbers[:40_000]), make(rng.choice(numbers, 20_000))
    asked[::7] = [None] * len(asked[::7])
    vocabulary = Vocabulary(arrow(known))
    expected = [NULL if value is None else vocabulary.row_of.get(value, 0) for value in asked]
    assert vocabulary.rows_of(arrow(asked)).tolist() == expected
    assert 0 < expected.count(0) < len(expected)


def test_a_string_that_has_the_hash_of_a_known_one_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    known = arrow([f"v{n}" for n in range(10)])

    def few(values: pa.Array) -> np.ndarray:
        return np.array([int(value[1:]) % 10 for value in values.to_pylist()], dtype=np.uint64)

    monkeypatch.setattr("gatewise.data.vocabularies.sorted_index.search_keys", few)
    index = SortedIndex.of(known)
    assert index.places(arrow(["v3", "v13", "v9"]), -7).tolist() == [3, -7, 9]
    # two known values of one hash: no index
    assert SortedIndex.of(arrow(["v1", "v11"])) is None
    assert is_distinct(arrow(["v1", "v11", "v3", "v21"]))
    assert not is_distinct(arrow(["v1", "v11", "v3", "v11"]))


@pytest.mark.parametrize("values", [[], [1], [2, 1], ["a"], ["", "a" * 8, "a" * 16, "a" * 7, "a" * 9, "ä", "a\0", "a"]])
def test_whether_values_are_distinct(values):
    assert is_distinct(arrow(values).cast(pa.int64() if not values else arrow(values).type))
    for value in values:
        assert not is_distinct(arrow([*values, value]))
    # of the middle of an array, too
    assert is_distinct(arrow([*values, *values])[len(values) // 2 :][: len(values)])


@given(st.lists(st.text(max_size=40), unique=True))
def test_strings_that_differ_have_keys_that_differ(texts: list[str]) -> None:
    keys = search_keys(pa.array(texts, pa.large_string()))
    assert len(set(keys.tolist())) == len(texts)
    # keys are those of the strings alone
    assert search_keys(pa.array(["x", *texts, "y"], pa.large_string())[1:-1]).tolist() == keys.tolist()


@pytest.mark.parametrize("learnt", [["b", "", "ä"], [5, -1, 2**63 - 1, 1, 0], ["b"]])
def test_a_huge_vocabulary_is_searched_without_a_dict(learnt, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [*learnt, None, *(["unseen", "b\0"] if isinstance(learnt[0], str) else [7, -(2**63), True, False])]
    small, huge = Vocabulary(arrow(learnt)), Vocabulary(arrow(learnt))
    expected = [list(small.value_rows()([value])) for value in asked]
    held = [small.holds(value) for value in asked if value is not None]
    monkeypatch.setattr(module, "HUGE", 0)
    rows = huge.value_rows()
    assert [list(rows([value])) for value in asked] == expected
    # asked again, and together
    assert list(rows(asked)) == [row for [row] in expected]
    assert [huge.holds(value) for value in asked if value is not None] == held
    assert huge.lookup(arrow([value for value in asked if type(value) is type(learnt[0])])).tolist() == [
        row for value, [row] in zip(asked, expected, strict=True) if type(value) is type(learnt[0])
    ]
    assert not huge._row_of
