"""Learning from the pieces of a table is learning from the whole, for every kind of feature."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gatewise as gw
from gatewise.data import read_table
from gatewise.data.columns import SchemaColumns
from gatewise.data.moments import Moments
from gatewise.data.vocabularies import ValueCounts
from gatewise.errors import TableError

ROWS = 90
RNG = np.random.default_rng(0)
AMOUNT = [None if i % 11 == 3 else float(x) for i, x in enumerate(RNG.lognormal(3, 2, ROWS))]
TABLE = {
    "number": RNG.zipf(1.5, ROWS).clip(max=30).tolist(),
    "word": RNG.choice(["a", "b", "ä", None, ""], ROWS).tolist(),
    "size": RNG.integers(0, 7, ROWS).tolist(),
    "amount": AMOUNT,
    "constant": [0.1] * ROWS,
    "late null": [1.0, 2.0, 4.0] * 29 + [None] * 3,
    "tags": RNG.choice(["a|b", "", "c", "a|c|d"], ROWS).tolist(),
    "seen": [RNG.integers(1, 40, n).tolist() for n in RNG.integers(0, 5, ROWS)],
    "vector": [[1.0, 2.0]] * 80 + [None] * 10,
    "label": [0, 1] * 45,
}
FEATURES = [
    gw.Sequence("seen", shares="number"),
    gw.Categorical("number", min_count=2),
    gw.Categorical("word"),
    gw.Categorical("word_hashed", hash_buckets=5, column="word"),
    gw.Categorical("size", size=7),
    gw.Numeric("amount"),
    gw.Numeric("amount_log", transform="log", column="amount"),
    gw.Numeric("amount_quantile", transform="quantile", column="amount"),
    gw.Numeric("amount_none", transform="none", column="amount"),
    gw.Numeric("amount_bucket", transform="bucket", buckets=7, column="amount"),
    gw.Numeric("amount_linear", embedding=gw.PiecewiseLinear(bins=6), column="amount"),
    gw.Numeric("constant"),
    gw.Numeric("late null"),
    gw.Sequence("tags"),
    gw.Vector("vector", 2),
]
SCHEMA = gw.Schema(features=FEATURES, tasks=[gw.Binary("label")])
WHOLE = read_table(TABLE)


def learnt(*pieces: pa.Table) -> SchemaColumns:
    columns = SchemaColumns(SCHEMA)
    for piece in pieces:
        columns.absorb(piece)
    columns.learn()
    return columns


def cut(places: list[int]) -> list[pa.Table]:
    ends = sorted({0, *places, ROWS})
    return [WHOLE.slice(start, end - start) for start, end in pairwise(ends)]


def assert_alike(found: SchemaColumns, wanted: SchemaColumns) -> None:
    assert found.state()["vocabularies"] == wanted.state()["vocabularies"]
    assert found.layout.fields == wanted.layout.fields
    assert found.layout.floats == wanted.layout.floats
    for name, state in wanted.state()["features"].items():
        other = found.state()["features"][name]
        assert other.keys() == state.keys()
        for what, value in state.items():
            np.testing.assert_allclose(other[what], value, rtol=1e-12, atol=1e-12, err_msg=f"{name} {what}")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, ROWS - 1), max_size=12))
def test_pieces_give_what_the_whole_gives(places):
    assert_alike(learnt(*cut(places)), learnt(WHOLE))


def test_one_row_at_a_time():
    found = learnt(*cut([*range(1, ROWS)]))
    assert_alike(found, learnt(WHOLE))
    # no rounding noise is taken for a deviation
    assert found["constant"].std == 1.0


def test_one_piece_is_numpy_to_the_last_bit():
    known = np.array([value for value in AMOUNT if value is not None])
    assert learnt(WHOLE)["amount"].state() | {"knots": 0} == {
        "mean": float(known.mean()),
        "std": float(known.std()),
        "has_null": True,
        "knots": 0,
        "edges": [],
    }
    logs = np.log1p(known)
    found = learnt(WHOLE)["amount_log"]
    assert (found.mean, found.std) == (float(logs.mean()), float(logs.std()))


@given(st.lists(st.lists(st.floats(-1e6, 1e6), max_size=5), max_size=6))
def test_moments_add_up(pieces):
    found = sum(map(Moments.of, map(np.array, pieces)), Moments())
    together = np.array([value for piece in pieces for value in piece])
    assert found.count == len(together)
    if len(together):
        np.testing.assert_allclose([found.mean, found.std], [together.mean(), together.std()], rtol=1e-9, atol=1e-6)


def test_moments_far_from_zero_lose_no_digits():
    values = 1e9 + np.arange(1000.0)
    found = sum((Moments.of(values[start : start + 10]) for start in range(0, 1000, 10)), Moments())
    assert found.std == pytest.approx(np.arange(1000.0).std(), rel=1e-9)


def test_counts_are_kept_by_distinct_value():
    counts = ValueCounts()
    column = SchemaColumns(SCHEMA)["number"]
    for _ in range(50):
        counts.add(column.prepare(pa.array([1, 2, 2])), "feature 'number'")
    values, found = counts.all()
    assert len(values) <= 6
    assert sum(found[np.array(values) == 2]) == 100


def test_a_piece_of_another_type_is_refused():
    columns = SchemaColumns(gw.Schema(features=[gw.Categorical("a")], tasks=[gw.Binary("b")]))
    columns.absorb(pa.table({"a": [1, 2]}))
    columns.absorb(pa.table({"a": pa.nulls(2)}))
    with pytest.raises(TableError, match="feature 'a': found strings"):
        columns.absorb(pa.table({"a": ["x"]}))
