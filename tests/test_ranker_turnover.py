"""Updates as days: new values get rows, old ones give theirs back, and nothing else changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import gatewise as gw
from gatewise.errors import ArtefactError, DeclarationError
from gatewise.serving import grow
from gatewise.training import OPTIMIZER

MODEL = gw.MMoE(experts=2, expert_dims=[8], tower_dims=[4])
SCHEMA = gw.Schema(
    features=[
        gw.Categorical("user", dim=4, min_count=3, keep_days=2),
        gw.Categorical("item", dim=4),
        gw.Sequence("seen", shares="user"),
        gw.Events("past", ids=[gw.EventId("shop", dim=4, min_count=2, max_rows=3)]),
        gw.Numeric("x"),
    ],
    tasks=[gw.Binary("click")],
)


def day(users: list[str], seen: list[list[str]] | None = None, shops: list[list[int]] | None = None) -> pa.Table:
    rows = len(users)
    rng = np.random.default_rng(rows)
    columns: dict[str, Any] = {
        "user": pa.array(users, pa.string()),
        "item": rng.integers(0, 3, rows),
        "seen": pa.array(seen or [[]] * rows, pa.list_(pa.string())),
        "shop": pa.array(shops or [[1]] * rows, pa.list_(pa.int64())),
        "x": rng.normal(size=rows),
        "click": np.arange(rows) % 2,
    }
    return pa.table(columns)


FIRST = day(["a"] * 4 + ["b"] * 3 + ["c"] * 2 + ["d"], shops=[[1, 2]] * 8 + [[3, 4]] * 2)


def fitted(schema: gw.Schema = SCHEMA, **options: Any) -> gw.Ranker:
    options = {"epochs": 2, "batch_size": 4, "lr": 0.05, "keep_optimizer": True, **options}
    return gw.Ranker(schema, MODEL, **options).fit(FIRST)


def values(ranker: gw.Ranker, name: str = "user") -> list[Any]:
    return ranker.scorer.encoder.vocabularies[name].values.to_pylist()


def one(user: str, rows: int = 1) -> pa.Table:
    return day([user] * rows).drop_columns(["click"])


def test_counts_over_days_admit_exactly_who_was_seen_often_enough(tmp_path: Path) -> None:
    ranker = fitted()
    assert values(ranker) == ["a", "b"]
    # c: 2 + 0 + 1; d: 1 + 1 + 0, then 1 in a list; e: 0 + 2 + 0, then gone; f: 2 on one day
    days = [
        day(["a", "b", "d", "e", "e"]),
        day(["a", "b", "c", "f"], seen=[[], ["f"], [], ["f"]]),
        day(["a", "b"], seen=[["d"], ["d"]]),
    ]
    expected = [["a", "b"], ["a", "b", "c", "f"], ["a", "b", "c", "f", "d"]]
    for number, (today, known) in enumerate(zip(days, expected, strict=True)):
        ranker.update(today)
        assert values(ranker) == known
        # and the counts survive saving
        ranker.save(tmp_path / str(number))
        ranker = gw.load(tmp_path / str(number))
    # what was only scored counts for nothing
    before = gw.load(tmp_path / "0")
    before.predict(day(["c"] * 9))
    assert values(before.update(day(["a", "b"]))) == ["a", "b"]


def test_after_keep_days_the_row_is_given_back_and_used_again() -> None:
    ranker = fitted()
    tables = ranker.model.input_layer.tables
    rows, place = tables.fields[0].rows, tables.offsets[0] + 2 + values(ranker).index("b")
    state = f"{OPTIMIZER}input_layer.tables.weights.dim_4:exp_avg"
    assert ranker._kept[state][place].any()
    assert ranker.update(day(["a"] * 4)).turnover["user"] == (0, 0, 2)
    assert values(ranker) == ["a", "b"]
    # on the second day without b its row is free; the values that wait are forgotten, too
    assert ranker.update(day(["a"] * 4)).turnover["user"] == (0, 1, 0)
    assert values(ranker) == ["a", None]
    tables = ranker.model.input_layer.tables
    assert tables.fields[0].rows == rows
    assert ranker.predict(one("b")) == ranker.predict(one("never seen"))
    assert not ranker._kept[state][place].any()
    assert ranker.update(day(["new"] * 3 + ["a"])).turnover["user"] == (1, 0, 0)
    assert values(ranker) == ["a", "new"]
    assert ranker.model.input_layer.tables.fields[0].rows == rows
    assert ranker.predict(one("b")) == ranker.predict(one("never seen"))
    assert ranker.predict(one("new")) != ranker.predict(one("b"))


def test_growth_and_eviction_change_no_prediction_of_other_values_by_a_bit() -> None:
    ranker = fitted(epochs=4).update(day(["a"] * 4 + ["c", "d"]))
    rows = pa.concat_tables([FIRST, day(["a", "b", "c"], seen=[["a"], ["b"], ["a", "c"]], shops=[[1], [2], [3, 4]])])
    held = zip(rows["user"].to_pylist(), rows["seen"].to_pylist(), strict=True)
    known = rows.filter(pa.array(["b" not in (user, *seen) for user, seen in held]))
    before, of_b = ranker.predict(known), ranker.predict(one("b"))
    grown = grow(ranker.scorer, ranker.options.model, day(["a", "new", "new", "new"], shops=[[1]] * 4), a_day=True)
    assert grown.turnover["user"] == (1, 1, 1)
    assert grown.scorer.encoder.vocabularies["user"].values.to_pylist() == ["a", "new", "c"]
    assert grown.scorer.predict(known) == before
    unseen = grown.scorer.predict(one("never seen"))
    assert grown.scorer.predict(one("b")) == unseen != of_b
    assert grown.scorer.predict(one("new")) == unseen
    # whoever goes on with the old scorer sees what it saw
    assert ranker.predict(one("b")) == of_b
    # numbers keep their statistics
    state = [encoder.columns["x"].state() for encoder in (ranker.scorer.encoder, grown.scorer.encoder)]
    assert state[0] == state[1]


def test_a_full_table_gives_the_row_of_the_value_not_seen_for_longest() -> None:
    ranker = fitted()
    shops = "past.shop"
    assert sorted(values(ranker, shops)) == [1, 2, 3]
    assert ranker.turnover == {}
    rows = ranker.model.input_layer.tables.fields
    ranker.update(day(["a"] * 4, shops=[[1, 3]] * 4))
    ranker.update(day(["a"] * 4, shops=[[1, 5], [5], [9], []]))
    # 2 was not seen for longest; 4, which waits since the training, was not there today
    assert values(ranker, shops) == [1, 5, 3] or sorted(values(ranker, shops)) == [1, 3, 5]
    assert ranker.turnover[shops] == (1, 1, 2)
    # all are seen today: nobody leaves
    ranker.update(day(["a"] * 4, shops=[[1, 5, 3], [9, 9], [9], []]))
    assert sorted(values(ranker, shops)) == [1, 3, 5]
    assert ranker.turnover[shops] == (0, 0, 2)
    assert [field.rows for field in ranker.model.input_layer.tables.fields][-1] == rows[-1].rows


def test_extending_heeds_min_count_and_counts_nothing_twice() -> None:
    ranker = fitted()
    table = day(["c", "d", "e", "a"])
    # c was seen twice in the training
    assert ranker.extend_vocabulary(table) == {"user": 1, "item": 0, "past.shop": 0}
    assert ranker.extend_vocabulary(table) == {"user": 0, "item": 0, "past.shop": 0}
    ranker.update(table)
    assert values(ranker) == ["a", "b", "c"]
    assert values(ranker.update(day(["d", "a"]))) == ["a", None, "c", "d"] or values(ranker) == ["a", "d", "c"]


def test_only_what_is_asked_for_turns_over() -> None:
    schema = gw.Schema(features=[gw.Categorical("user", dim=4)], tasks=[gw.Binary("click")])
    ranker = fitted(schema)
    assert values(ranker.update(day(["x", "y"]), admit=False)) == ["a", "b", "c", "d"]
    assert ranker.turnover == {}
    # without rules every value gets a row, as in a training, and keeps it
    assert values(ranker.update(day(["x", "y"]))) == ["a", "b", "c", "d", "x", "y"]
    assert ranker.scorer.encoder.remembered() is None


def test_tables_that_do_not_fit_into_memory_are_the_same_days(tmp_path: Path) -> None:
    today = day(["c", "new"] * 30, seen=[["new"], ["a"]] * 30, shops=[[5], [6, 7]] * 30)
    paths = [tmp_path / "first.parquet", tmp_path / "today.parquet"]
    for table, path in zip((FIRST, today), paths, strict=True):
        pq.write_table(table, path)
    options: dict[str, Any] = {"epochs": 1, "batch_size": 4, "memory": 0, "cache": str(tmp_path / "cache")}
    expected = fitted(epochs=1).update(today)
    # the second training finds the cache of the first
    for _ in range(2):
        found = gw.Ranker(SCHEMA, MODEL, **options).fit(paths[0]).update(paths[1])
        for name in ("user", "past.shop"):
            assert values(found, name) == values(expected, name)
        assert found.turnover == expected.turnover
        assert found.scorer.encoder.remembered() == expected.scorer.encoder.remembered()


def test_an_artefact_with_free_rows_is_saved_exported_and_refused_where_damaged(tmp_path: Path) -> None:
    ranker = fitted().update(day(["a"] * 3)).update(day(["a"] * 3))
    assert values(ranker) == ["a", None]
    ranker.save(tmp_path / "model")
    assert gw.load(tmp_path / "model").predict(FIRST) == ranker.predict(FIRST)
    content = (tmp_path / "model" / "seen.arrow").read_bytes()
    (tmp_path / "model" / "seen.arrow").write_bytes(content[:-4] + b"xxxx")
    with pytest.raises(ArtefactError, match=r"damaged: seen\.arrow is not what was saved"):
        gw.load(tmp_path / "model")
    pytest.importorskip("onnxruntime")
    ranker.export_onnx(tmp_path / "model.onnx", check=FIRST)


@pytest.mark.parametrize("kind", [gw.Categorical, gw.Sequence, gw.EventId])
@pytest.mark.parametrize("rule", ["min_count", "keep_days", "max_rows"])
def test_where_no_value_is_admitted_rules_are_refused(kind: Any, rule: str) -> None:
    with pytest.raises(DeclarationError, match=f"{rule} needs a vocabulary, hash_buckets has none, and no value is"):
        kind("user", hash_buckets=10, **{rule: 5})
    with pytest.raises(DeclarationError, match=f"size says that values are rows already: give no {rule} beside it"):
        kind("user", size=10, **{rule: 5})
    with pytest.raises(DeclarationError, match="the table is that of 'a': declare size, min_count, keep_days"):
        kind("user", shares="a", **{rule: 5})


def test_new_rows_are_those_of_unseen_values_and_reset_rows_are_independent() -> None:
    ranker = fitted(epochs=3).update(day(["a"] * 3))
    grown = grow(ranker.scorer, ranker.options.model, day(["a", "n", "n", "n"]), a_day=True)
    rows = grown.scorer.model.input_layer.tables.rows_of(0)
    assert torch.equal(rows[3], rows[0])
    assert grown.reset["user"].tolist() == [3]
