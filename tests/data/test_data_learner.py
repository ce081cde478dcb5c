"""An encoder that learns from pieces is the one that learns from the whole table, bit for bit."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from many_kinds import FEATURES, TASKS, columns

import gatewise as gw
from gatewise.data.encoder import TableEncoder, TableLearner
from gatewise.data.pieces import PIECE_ROWS, blocks, regrouped
from gatewise.data.uniform_sample import UniformSample
from gatewise.errors import GatewiseWarning, TableError

ROWS = 2 * PIECE_ROWS + 1234
SCHEMA = gw.Schema(
    features=[gw.Categorical("id", min_count=2), *FEATURES],
    tasks=[gw.Binary("click"), gw.Binary("buy", after="click", conflicts="trust_before"), *TASKS],
    group="id",
)


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return pa.table(columns(np.random.default_rng(0), ROWS, PIECE_ROWS, 5000))


@pytest.mark.filterwarnings("ignore:task 'buy'")
def test_pieces_give_the_state_of_the_whole_table_bit_for_bit(table):
    whole, _ = TableEncoder.fit(SCHEMA, table)
    for ends in ([1000, 70_000, 140_000], [PIECE_ROWS], [1, 2, ROWS - 1]):
        files = [table.slice(a, b - a) for a, b in zip([0, *ends], [*ends, ROWS], strict=True)]
        learner = TableLearner(SCHEMA)
        for piece in regrouped(files):
            learner.absorb(piece)
        assert json.dumps(learner.learn().state()) == json.dumps(whole.state())
        assert learner.rows == ROWS


@pytest.mark.filterwarnings("ignore:task 'buy'")
def test_encoded_pieces_are_the_encoded_table(table):
    encoder, whole = TableEncoder.fit(SCHEMA, table)
    pieces = [encoder.encode_piece(piece) for piece in regrouped([table])]
    np.testing.assert_array_equal(np.concatenate([piece.ids for piece in pieces]), whole.ids)
    np.testing.assert_array_equal(np.concatenate([piece.floats for piece in pieces]), whole.floats)
    for place, lists in enumerate(whole.lists):
        np.testing.assert_array_equal(np.concatenate([piece.lists[place].values for piece in pieces]), lists.values)
    np.testing.assert_array_equal(np.concatenate([piece.labels for piece in pieces]), whole.labels)
    groups = np.concatenate([piece.groups for piece in pieces])
    # a group has one number in all pieces, and different groups have different ones
    pairs = set(zip(groups.tolist(), whole.groups.tolist(), strict=True))
    assert len(pairs) == len(set(groups.tolist())) == len(set(whole.groups.tolist()))


def test_contradictions_are_counted_over_all_pieces(table):
    learner = TableLearner(SCHEMA)
    for piece in regrouped([table]):
        learner.absorb(piece)
    found = int(((table["buy"].to_numpy() == 1) & (table["click"].to_numpy() == 0)).sum())
    with pytest.warns(GatewiseWarning, match=f"task 'buy': {found:,} of {ROWS:,} rows have it without 'click'"):
        learner.learn()


def test_an_error_in_a_later_piece_says_from_where_rows_are_counted():
    schema = gw.Schema(features=[gw.Numeric("x")], tasks=[gw.Binary("click")])
    learner = TableLearner(schema)
    learner.absorb(pa.table({"x": [1.0, 2.0], "click": [0, 1]}))
    with pytest.raises(TableError, match=r"found nan in row 1, .* \(counted from row 2 on\)"):
        learner.absorb(pa.table({"x": [1.0, float("nan")], "click": [0, 1]}))


def test_pieces_are_the_same_wherever_files_end():
    rows = pa.table({"x": range(25)})
    for ends in ([], [3, 4, 20], [10, 20], [1, 24]):
        files = [rows.slice(a, b - a) for a, b in zip([0, *ends], [*ends, 25], strict=True)]
        pieces = [piece["x"].to_pylist() for piece in regrouped(files, 10)]
        assert pieces == [[*range(10)], [*range(10, 20)], [*range(20, 25)]]
    assert [*regrouped([rows.slice(0, 0)], 10)] == []
    assert [(each.start, each.stop) for each in blocks(25, 10)] == [(0, 10), (10, 20), (20, 25)]


def test_a_sample_is_uniform_and_does_not_depend_on_who_took_which_block():
    numbers = np.arange(20_000.0)
    cut = [numbers[start : start + 700] for start in range(0, 20_000, 700)]
    whole, first, second, other = UniformSample(1000), UniformSample(1000), UniformSample(1000), UniformSample(1000, 1)
    for place, block in enumerate(cut):
        whole.add(block)
        other.add(block)
        (first if place < 9 else second).add(block)
    first.merge(second.absorbed())
    kept = whole.values()
    np.testing.assert_array_equal(kept, first.values())
    assert len(set(kept)) == 1000
    assert set(kept) != set(other.values())
    # five standard deviations of a uniform sample's mean and of its share in a tenth
    assert abs(kept.mean() - 10_000) < 5 * 20_000 / np.sqrt(12 * 1000)
    assert abs((kept < 2000).mean() - 0.1) < 5 * np.sqrt(0.09 / 1000)


def test_equal_blocks_have_equal_samples_however_they_are_merged():
    block, samples = np.arange(500.0), [UniformSample(700) for _ in range(4)]
    for sample, count in zip(samples, (4, 1, 2, 1), strict=True):
        for _ in range(count):
            sample.add(block)
    whole, first, *others = samples
    for each in others:
        first.merge(each.absorbed())
    np.testing.assert_array_equal(whole.values(), first.values())


def test_up_to_its_size_a_sample_is_all_numbers():
    sample = UniformSample(10)
    for number in range(10):
        sample.add(np.array([float(number)]))
    assert sample.values().tolist() == list(range(10))
