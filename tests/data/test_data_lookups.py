"""The encoder of Python values gives what the table encoder gives, errors included, whatever the values are."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gatewise as gw
from gatewise.data import RaggedIds, TableEncoder, remembered
from gatewise.data.columns import column as module
from gatewise.data.tables import read_table
from gatewise.errors import GatewiseError

ROWS = 60
TRAIN = {
    "number": list(range(20)) * 3,
    "word": ["a", "b", "ä c", None, "", "e"] * 10,
    "flag": [True, False, None] * 20,
    "empty": [None] * ROWS,
    "day": [datetime.date(2024, 1, 1 + i % 5) for i in range(ROWS)],
    "amount": [None if i % 7 == 0 else (i - 20) ** 3 / 7 for i in range(ROWS)],
    "always": [float(i) for i in range(ROWS)],
    "tags": ["a|b", " b | a |", "", None, "c", "a"] * 10,
    "items": [[1, 2, 3], [], None, [2], [None, 4], [5]] * 10,
    "codes": [["x", "y"], [], None, ["z"], ["x"], ["y", "y", "y"]] * 10,
    "label": [0, 1] * 30,
}
FEATURES = [
    gw.Categorical("number"),
    gw.Categorical("number_hashed", hash_buckets=5, column="number"),
    gw.Categorical("number_sized", size=20, column="number"),
    gw.Categorical("word", min_count=2),
    gw.Categorical("word_hashed", hash_buckets=5, column="word"),
    gw.Categorical("flag"),
    gw.Categorical("flag_hashed", hash_buckets=5, column="flag"),
    gw.Categorical("empty"),
    gw.Categorical("empty_hashed", hash_buckets=5, column="empty"),
    gw.Categorical("day"),
    gw.Numeric("amount"),
    gw.Numeric("always", transform="log"),
    gw.Numeric("amount_log", transform="log", column="amount"),
    gw.Numeric("amount_quantile", transform="quantile", column="amount"),
    gw.Numeric("amount_none", transform="none", column="amount"),
    gw.Numeric("always_quantile", transform="quantile", column="always"),
    gw.Numeric("amount_bucket", transform="bucket", column="amount"),
    gw.Numeric("amount_linear", embedding=gw.PiecewiseLinear(), column="amount"),
    gw.Sequence("tags"),
    gw.Sequence("tags_hashed", hash_buckets=5, max_length=2, column="tags"),
    gw.Sequence("items"),
    gw.Sequence("items_shared", shares="number", max_length=2, keep="first", column="items"),
    gw.Sequence("items_last", max_length=1, column="items"),
    gw.Sequence("codes", min_count=2),
    gw.Sequence("codes_hashed", hash_buckets=7, column="codes"),
    gw.Vector("vector", 2),
]
VECTORS = {"vector": [[1.0, 2.0], None, [0.0, 1.0]] * 20}
SCHEMA = gw.Schema(features=FEATURES, tasks=[gw.Binary("label")])
ENCODER, _ = TableEncoder.fit(SCHEMA, TRAIN | VECTORS)

STRANGE = ["a", "b", "ä c", "", "x", "y", "a|b", " b | a |", "1|2", "\x1f a", "2024-01-02"]
WORDS = st.one_of(st.sampled_from(STRANGE), st.text(max_size=4))
LARGE = [2**53, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64, 10**400]
INTEGERS = st.one_of(st.integers(-3, 25), st.sampled_from(LARGE), st.integers())
FLOATS = st.one_of(st.integers(-5, 25).map(float), st.floats(), st.floats(-30, 30))
KINDS: list[st.SearchStrategy[Any]] = [
    INTEGERS,
    st.integers(-3, 25),
    FLOATS,
    st.floats(-1e6, 1e6),
    WORDS,
    st.booleans(),
    st.dates(),
    st.lists(st.one_of(st.none(), st.integers(-3, 25)), max_size=4),
    st.lists(st.one_of(st.none(), WORDS), max_size=4),
    st.lists(st.one_of(INTEGERS, WORDS, FLOATS), max_size=3),
    st.lists(st.floats(-9, 9), min_size=2, max_size=2),
    st.dictionaries(WORDS, INTEGERS, max_size=1),
]
COLUMNS = st.one_of(
    *[st.lists(kind, min_size=1, max_size=8) for kind in KINDS],
    *[st.lists(st.one_of(st.none(), kind), min_size=1, max_size=8) for kind in KINDS],
    st.lists(st.one_of(st.none(), INTEGERS, FLOATS), min_size=1, max_size=5),
    st.lists(st.one_of(st.none(), *KINDS), min_size=1, max_size=4),
)


def outcome(encode, values) -> Any:
    """Return the encoded values as plain lists with their types, or the error."""
    try:
        found = encode(values)
    except GatewiseError as error:
        return str(error)
    parts = (found.values, found.offsets) if isinstance(found, RaggedIds) else (found,)
    return [(str(part.dtype), part.tolist()) for part in parts]


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
@settings(max_examples=40, deadline=None)
@given(values=COLUMNS)
def test_values_are_encoded_as_a_table_of_them_is(feature, values):
    column = ENCODER.columns[feature.name]
    quick = column.encode_values
    table = outcome(lambda values: column.encode_table(read_table({column.column: values})), values)
    assert outcome(quick, values) == table
    # and again, from what was remembered
    assert outcome(quick, values) == table


EDGES = [
    [2**63],
    [1, 2**63],
    [None, -(2**63) - 1],
    [2**63 - 1, -(2**63)],
    [10**400],
    [2**53 + 1],
    [2**53 + 1, 0.5],
    [float("nan")],
    [1.0, float("inf")],
    [3.5e38],
    [True, 1],
    [None, None],
    ["1|2", "x"],
    ["a", ["a"]],
    [[1, "a"]],
    [[2**63]],
    [[1, 2, "a"]],
    [[], None],
    [[None, None, None]],
]


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_at_the_edges_as_well(feature):
    column = ENCODER.columns[feature.name]
    quick = column.encode_values
    for values in EDGES:
        table = outcome(lambda values: column.encode_table(read_table({column.column: values})), values)
        assert outcome(quick, values) == table, values


USUAL = {
    "number": [3, None, 99],
    "word": ["a", None, "new"],
    "flag": [True, None],
    "amount": [1, 2.5, None],
    "always": [1, 2],
    "tags": ["a|b", None, ""],
    "items": [[1, 2, 3], None, []],
    "codes": [["x", None], ["new"]],
}


UNUSUAL = {"flag_hashed", "number_sized"}
"""Truths that are hashed, and a number that is no id."""
QUICK = [f for f in FEATURES if gw.declare.column_of(f) in USUAL and f.name not in UNUSUAL]


@pytest.mark.parametrize("feature", QUICK, ids=lambda feature: feature.name)
def test_usual_values_need_no_table(feature, monkeypatch):
    known = USUAL[gw.declare.column_of(feature)]
    quick = ENCODER.columns[feature.name].encode_values
    first = outcome(quick, known)
    monkeypatch.setattr(module, "read_table", lambda _: pytest.fail("a table was made"))
    assert outcome(quick, known) == first


@pytest.mark.parametrize("length", [1, 300, 40_000])
def test_what_is_remembered_is_bounded_in_bytes(monkeypatch, length):
    monkeypatch.setattr(remembered, "REMEMBERED_BYTES", 100_000)
    found = remembered.Remembered(lambda values: [[len(value)] * length for value in values])
    for start in range(50):
        values = [f"{place:0{length}}" for place in range(start * 5, start * 5 + 8)]
        assert found(values) == [[len(value)] * length for value in values]
        kept = sum(len(value) + 8 * len(rows) for value, rows in found._known.items())
        assert kept <= 100_000
    assert (len(found._known) > 0) == (length < 40_000)


def test_a_row_that_is_looked_up_can_be_written_to():
    quick = ENCODER.columns["number"].encode_values
    assert isinstance(quick([1, 2]), np.ndarray)
    assert quick([1, 2]).flags.writeable
