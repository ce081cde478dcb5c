"""Learners of parts of a table, merged in order, give the encoder of one pass byte for byte."""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from many_kinds import FEATURES, TASKS, columns
from test_data_every_type import SCHEMAS, table_with

import gatewise as gw
from every_type import COLUMNS
from gatewise.data import AsOf, read_absorbed, regrouped, write_absorbed
from gatewise.data.columns import NumericColumn, TextsColumn
from gatewise.data.encoder import TableEncoder, TableLearner
from gatewise.data.uniform_sample import UniformSample
from gatewise.errors import ArtefactError, GatewiseWarning, TableError

ROWS, PIECE = 1050, 100
# those that read a column in another way than the others
KINDS = ("categorical", "hashed", "numeric", "buckets", "sequence", "vector", "multiclass", "ordinal", "regression")
TYPES = [name for name in COLUMNS if not name.startswith(("runs", "structure", "list 1", "list 2", "list 3"))]
CLICK = gw.Binary("click")
ALL = gw.Schema(
    features=[
        gw.Sequence("seen", shares="id"),
        gw.Categorical("id", min_count=2, keep_days=3),
        gw.Categorical("word"),
        gw.Categorical("hashed", column="word", hash_buckets=7),
        gw.Categorical("numbered", size=9),
        gw.Numeric("bucket", column="amount", transform="bucket", buckets=5),
        gw.Vector("vector", 2),
        *FEATURES,
    ],
    tasks=[
        CLICK,
        gw.Binary("buy", after="click", conflicts="trust_before", weight_column="weight"),
        gw.Binary("kept", negatives_kept="share"),
        gw.Binary("late", delay=10, time="time", seen="late_seen", late="delayed_feedback"),
        *TASKS,
    ],
    group="id",
)


@pytest.fixture(scope="module")
def table() -> pa.Table:
    rng = np.random.default_rng(0)
    time = np.arange(ROWS, dtype=float)
    return pa.table(
        columns(rng, ROWS, ROWS // 2, 500)
        | {
            "seen": [rng.integers(1, 40, n).tolist() for n in rng.integers(0, 4, ROWS)],
            "word": pa.array(rng.choice(["a", "b", "ä", ""], ROWS), mask=rng.random(ROWS) < 0.1),
            "numbered": rng.integers(0, 9, ROWS),
            "vector": [None if row == ROWS - 1 else [1.0, 2.0] for row in range(ROWS)],
            "kept": (rng.random(ROWS) < 0.5).astype(int),
            "late": (rng.random(ROWS) < 0.5).astype(int),
            "late_seen": time + rng.exponential(5, ROWS),
            "time": time,
            "share": rng.choice([0.1, 0.3, 0.7], ROWS),
            # only the last part has a weight
            "weight": (np.arange(ROWS) >= ROWS - 10).astype(float),
        }
    )


def saved(learner: TableLearner) -> tuple[str, bytes, bytes | None, int]:
    """Return all bytes of what was learnt."""
    encoder: TableEncoder = learner.learn()
    state, values = encoder.saved()
    return json.dumps(state), values, encoder.remembered(), learner.rows


def learner_of(schema: gw.Schema, pieces: Sequence[pa.Table], first: int = 0, as_of: AsOf | None = None):
    learner = TableLearner(schema, as_of, first)
    for piece in pieces:
        learner.absorb(piece)
    return learner


def merged(schema: gw.Schema, pieces: list[pa.Table], parts: int, path: Path, as_of: AsOf | None = None):
    """Return a learner of the first part, into which the others were merged, each by way of a file."""
    ends = [part * len(pieces) // parts for part in range(parts + 1)]
    first, *others = [
        learner_of(schema, pieces[start:stop], sum(piece.num_rows for piece in pieces[:start]), as_of)
        for start, stop in pairwise(ends)
    ]
    for other in others:
        write_absorbed(path, other.absorbed())
        first.merge(read_absorbed(path))
    return first


@pytest.mark.filterwarnings("ignore:task 'buy'")
@pytest.mark.parametrize("parts", [1, 2, 3, 11])
def test_parts_give_the_bytes_of_one_pass(table, parts, tmp_path, monkeypatch):
    # samples are thinned in parts and when they are merged
    monkeypatch.setattr(UniformSample.__init__, "__defaults__", (150, 0))
    pieces, as_of = [*regrouped([table], PIECE)], AsOf({"time": ROWS - 5.0})
    wanted = saved(learner_of(ALL, pieces, as_of=as_of))
    assert saved(merged(ALL, pieces, parts, tmp_path / "part", as_of)) == wanted
    assert wanted[2] is not None
    assert wanted[3] == ROWS


def test_parts_give_the_bytes_of_one_pass_for_every_type(tmp_path):
    answers = 0
    for kind in KINDS:
        schema = SCHEMAS[kind]
        for name, column in ((name, COLUMNS[name]) for name in TYPES):
            pieces = [*regrouped([table_with(column)], 8)] if can_be_cut(column) else []
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", GatewiseWarning)
                try:
                    wanted = saved(learner_of(schema, pieces))
                except TableError:
                    continue
                assert saved(merged(schema, pieces, 2, tmp_path / "part")) == wanted, (kind, name)
            answers += 1
    assert answers > 200


def can_be_cut(column: pa.Array) -> bool:
    try:
        return pa.concat_arrays([column.slice(0, 1), column.slice(1, 1)]) is not None
    except pa.ArrowException:
        return False


def test_contradictions_are_counted_over_all_parts(table, tmp_path):
    pieces, as_of = [*regrouped([table], PIECE)], AsOf({"time": ROWS - 5.0})
    found = int(((table["buy"].to_numpy() == 1) & (table["click"].to_numpy() == 0)).sum())
    with pytest.warns(GatewiseWarning, match=f"task 'buy': {found:,} of {ROWS:,} rows have it without 'click'"):
        merged(ALL, pieces, 3, tmp_path / "part", as_of).learn()


def test_one_class_in_all_parts_is_one_class(tmp_path):
    schema = gw.Schema(features=[gw.Numeric("x")], tasks=[gw.Multiclass("kind"), gw.Multiclass("other")])
    pieces = [pa.table({"x": [1.0, 2.0], "kind": ["b", "b"], "other": other}) for other in (["a", "c"], ["b", "b"])]
    with pytest.raises(TableError, match="label of task 'kind': is 'b' in every row of the training table"):
        merged(schema, pieces, 2, tmp_path / "part").learn()


def test_parts_of_other_types_are_refused(tmp_path):
    schema = gw.Schema(features=[gw.Categorical("a")], tasks=[CLICK])
    pieces = [pa.table({"a": values, "click": [0, 1]}) for values in ([1, 2], ["x", "y"])]
    with pytest.raises(TableError, match="feature 'a': found strings"):
        merged(schema, pieces, 2, tmp_path / "part")
    levels = gw.Schema(features=[gw.Numeric("a")], tasks=[gw.Ordinal("stars")])
    pieces = [pa.table({"a": [0.0] * 60, "stars": range(start, start + 60)}) for start in (0, 60)]
    with pytest.raises(TableError, match="has 120 levels, expected 100 or fewer"):
        merged(levels, pieces, 2, tmp_path / "part")


def test_a_later_part_counts_rows_from_the_first_of_the_table():
    schema = gw.Schema(features=[gw.Numeric("x")], tasks=[CLICK])
    learner = TableLearner(schema, first=200)
    with pytest.raises(TableError, match=r"found nan in row 1, .* \(counted from row 200 on\)"):
        learner.absorb(pa.table({"x": [1.0, float("nan")], "click": [0, 1]}))


def test_a_file_that_is_not_one_is_refused(tmp_path):
    path = tmp_path / "part"
    write_absorbed(path, learner_of(SCHEMAS["categorical"], [table_with(COLUMNS["int64"])]).absorbed())
    whole = path.read_bytes()
    for content in (b"", b"other", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(ArtefactError, match="part cannot be read"):
            read_absorbed(path)


class OwnColumn(NumericColumn):
    """Collects something of its own, of which ``merge`` does not know."""

    def absorb(self, prepared) -> None:
        super().absorb(prepared)


def test_a_kind_that_merges_says_so():
    assert TableLearner(ALL).merges
    assert not OwnColumn(gw.Numeric("x")).merges
    assert TextsColumn(gw.Text("x", encoder="any")).merges
