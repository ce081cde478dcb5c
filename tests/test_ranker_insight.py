"""Looking into a trained ranker: gates, experts, features, one prediction; with every architecture."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

import gatewise as gw
from gatewise import declare
from gatewise.analysis import Explanation, json_values
from gatewise.errors import GatewiseError, TableError
from gatewise.report import collect
from gatewise.serving import load_artefact
from gatewise.training import trainer as training

SMALL = {
    "single_task": gw.SingleTask(bottom_dims=[4]),
    "shared_bottom": gw.SharedBottom(bottom_dims=[4]),
    "omoe": gw.OMoE(experts=3, expert_dims=[4]),
    "mmoe": gw.MMoE(experts=3, expert_dims=[4], levels=2),
    "cgc": gw.CGC(own_experts=1, shared_experts=1, expert_dims=[4]),
    "ple": gw.PLE(own_experts=1, shared_experts=1, expert_dims=[4]),
    "adatt": gw.AdaTT(own_experts=1, expert_dims=[4]),
    "stem": gw.STEM(own_experts=1, shared_experts=1, expert_dims=[4]),
    "pepnet": gw.PEPNet(scenario=["item"], priors=["user"], layer_dims=[4], gate_dims=[4]),
    "facet_aware_moe": gw.FacetAwareMoE(facet="item", experts=3, expert_dim=4, heads=2),
    "cross_stitch": gw.CrossStitch(layer_dims=[4]),
    "home": gw.HoME(groups={"a": ["click"], "b": ["stars"]}, experts=1, expert_dims=[4], rank=2),
    "aitm": gw.AITM(order=["click", "stars"], bottom_dims=[4]),
    "mose": gw.MoSE(experts=2, expert_dim=4),
}
WITHOUT_EXPERTS = {"single_task", "shared_bottom", "cross_stitch", "pepnet", "aitm"}


def check(found: Explanation) -> None:
    """Every score is the sum of its parts, both ways."""
    for parts in found.scores:
        if found.experts:
            adds = sum(part.contribution for part in parts.experts)
            assert parts.without_experts + adds == pytest.approx(parts.value, abs=1e-4)
        if parts.features:
            adds = sum(part.contribution for part in parts.features)
            assert parts.background + adds == pytest.approx(parts.value, abs=1e-4)
    json.dumps(json_values(found), allow_nan=False)


@pytest.mark.filterwarnings("ignore:expert .* is dead", "ignore:the gate of task")
@pytest.mark.parametrize("kind", SMALL)
def test_every_architecture_can_be_looked_into(kind: str, feed: pa.Table, make_ranker) -> None:
    pooling = None if kind == "mose" else "mean"
    features = [
        gw.Categorical("user", dim=4),
        gw.Categorical("item", dim=4),
        gw.Sequence("tags", dim=4, pooling=pooling),
    ]
    schema = gw.Schema(features=[*features, gw.Numeric("price")], tasks=[gw.Binary("click"), gw.Regression("stars")])
    rows = feed.slice(0, 300)
    ranker = make_ranker(schema, SMALL[kind], epochs=1, batch_size=64).fit(rows, feed.slice(300, 100))
    explained = ranker.explain(7, rows, draws=4)
    check(explained)
    predicted = ranker.predict(rows)
    assert explained.predictions["click"] == pytest.approx(predicted["click"][7].as_py(), abs=1e-6)
    for parts in explained.scores:
        assert {part.feature: part.value for part in parts.features} == explained.row
    importance = ranker.feature_importance(rows, repeats=1)
    assert {one.feature for one in importance["click"]} == {"user", "item", "tags", "price"}
    assert all(problem.remedy for problem in ranker.problems(rows))
    if kind in WITHOUT_EXPERTS:
        assert explained.notes == ("the model has no experts that gates mix: there are none to take a score apart by",)
        assert ranker.history[0].gates == {}
        for look in (ranker.gate_usage, ranker.expert_similarity, ranker.expert_ablation):
            with pytest.raises(GatewiseError, match=f"{type(SMALL[kind]).__name__} has no experts that gates mix"):
                look(rows)
        return
    assert explained.notes == ()
    usage, similarity, ablation = ranker.gate_usage(rows), ranker.expert_similarity(rows), ranker.expert_ablation(rows)
    assert [each.layer for each in usage] == [each.layer for each in similarity] == [each.layer for each in ablation]
    assert usage[-1].gates == explained.tasks == ("click", "stars")
    assert usage[-1].experts == similarity[-1].experts == ablation[-1].experts == explained.experts
    np.testing.assert_allclose(usage[-1].weights, ranker.gates(rows), atol=1e-6)
    np.testing.assert_allclose(explained.gates, ranker.gates(rows, per_row=True)[7], atol=1e-6)
    assert len(usage) == (2 if kind in ("mmoe", "ple", "adatt", "home") else 1)


def test_every_architecture_is_among_them() -> None:
    union = get_args(get_args(declare.AnyArchitecture)[0])
    assert {type(model) for model in SMALL.values()} == set(union)


def test_what_gates_do_is_written_down_every_epoch(feed, make_ranker, tmp_path, monkeypatch) -> None:
    train, valid = feed.slice(0, 600), feed.slice(600, 300)
    ranker = make_ranker(epochs=1).fit(train, valid)
    (usage,) = ranker.gate_usage(valid)
    for task, record in enumerate(ranker.history[0].gates.values()):
        np.testing.assert_allclose(record["weights"], usage.weights[task], atol=1e-6)
        assert record["entropy"] == pytest.approx(usage.entropy[task], abs=1e-6)
        assert record["relative_entropy"] == pytest.approx(usage.relative_entropy[task], abs=1e-6)
        np.testing.assert_allclose(record["utilisation"], usage.utilisation[task], atol=1e-6)
    assert list(ranker.history[0].gates) == ["click", "stars"]
    ranker.save(tmp_path / "model")
    assert gw.load(tmp_path / "model").history == ranker.history
    assert not ranker.scorer.model._forward_hooks
    # looking changes nothing that is learnt
    monkeypatch.setattr(training, "watched_gates", lambda *_: contextlib.nullcontext(dict))
    unwatched = make_ranker(epochs=1).fit(train, valid)
    assert unwatched.history[0].gates == {}
    weights = unwatched.scorer.model.state_dict()
    assert all(torch.equal(value, weights[name]) for name, value in ranker.scorer.model.state_dict().items())
    assert unwatched.history[0].valid == ranker.history[0].valid


def test_slices_of_gates(fitted: gw.Ranker, feed: pa.Table) -> None:
    found = fitted.gate_usage(feed, ["tags", "rows of user"])
    assert [(each.column, each.value) for each in found[:3]] == [(None, None), ("tags", "b|c"), ("tags", "c")]
    by_tags = [each for each in found if each.column == "tags"]
    assert sum(each.rows for each in by_tags) == len(feed)
    mean = sum(each.weights * each.rows for each in by_tags) / len(feed)
    np.testing.assert_allclose(mean, found[0].weights)
    # how many rows a user has is known of every row
    rows_of = {user: feed["user"].to_pylist().count(user) for user in set(feed["user"].to_pylist())}
    bins = [each for each in found if each.column == "rows of user"]
    low, _, high = bins[0].value.partition(" to ")
    assert bins[0].rows == sum(n for n in rows_of.values() if int(low) <= n <= int(high))
    # a column of that very name is taken as it is
    named = feed.append_column("rows of user", pa.array(["x"] * len(feed)))
    assert [each.value for each in fitted.gate_usage(named, "rows of user")] == [None, "x"]
    with pytest.raises(TableError, match="slices: the table has no column 'usr'; did you mean 'user'"):
        fitted.gate_usage(feed, "rows of usr")
    with pytest.raises(TableError, match="slices: the table has no column 'tag'; did you mean 'tags'"):
        fitted.gate_usage(feed, "tag")


def test_a_row_by_its_number_or_by_its_values(fitted: gw.Ranker, feed: pa.Table, tmp_path: Path) -> None:
    columns = ["user", "item", "tags", "price"]
    values = feed.select(columns).slice(12, 1).to_pylist()[0]
    by_number, alone = fitted.explain(12, feed), fitted.explain(values)
    check(by_number)
    check(alone)
    assert by_number.row == alone.row == values
    assert by_number.predictions == pytest.approx(alone.predictions)
    assert alone.notes == ("there are no other rows to hold the features against: give a table with some",)
    assert alone.scores[0].experts == by_number.scores[0].experts
    among = fitted.explain(values | {"click": 1}, feed)
    check(among)
    assert len(among.scores[0].features) == 4
    pq.write_table(feed, tmp_path / "feed.parquet")
    assert fitted.explain(12, tmp_path / "feed.parquet").scores == by_number.scores
    # as other kinds of tables hold it
    listed = {"user": 10_000_000_012, "item": "i3", "tags": ["a", "b"], "price": None}
    assert fitted.explain(listed).predictions == pytest.approx(fitted.explain(listed | {"tags": "a|b"}).predictions)


ROW = {"user": 1, "item": "i1", "tags": None, "price": 1.0}


@pytest.mark.parametrize(
    ("row", "table", "message"),
    [
        (3, False, "row 3: expected a table to take it from, found none"),
        (2000, True, "row 2000: expected a number from 0 to 1999, found a table of 2,000 rows"),
        (-1, True, "row -1: expected a number from 0 to 1999"),
        (ROW | {"itm": "i1"}, True, "row: no column 'itm' is read; did you mean 'item'"),
        ({"user": 1, "tags": None}, True, "row: expected a value for column 'item', found none; null says"),
        ({"user": 1, "tags": None}, False, "row: expected a value for column 'item', found none; null says"),
        ({}, True, "row: expected a value for column 'user'"),
        (ROW | {"user": "x"}, True, "row: column 'user': expected a value of type int64, found 'x'"),
        (ROW | {"user": "x"}, False, "feature 'user': found strings"),
        (ROW | {"user": {"a": 1}}, False, "feature 'user'"),
        (ROW | {"item": ["i1"]}, True, "row: column 'item': expected a value of type string"),
        (ROW | {"price": float("nan")}, False, "feature 'price'"),
    ],
)
def test_rows_that_there_are_not(fitted: gw.Ranker, feed: pa.Table, row: object, table: bool, message: str) -> None:
    with pytest.raises(TableError, match=message) as caught:
        fitted.explain(row, feed if table else None)
    assert "\n" not in str(caught.value)


def test_tables_that_do_not_do(fitted: gw.Ranker, feed: pa.Table) -> None:
    with pytest.raises(TableError, match="row 0: expected a table with rows, found a table of 0 rows"):
        fitted.explain(0, feed.slice(0, 0))
    with pytest.raises(TableError, match="the table has no column 'price'; did you mean 'prize'"):
        fitted.explain(0, feed.rename_columns(["user", "item", "tags", "prize", "click", "stars", "when"]))


@pytest.mark.filterwarnings("ignore:calibration of")
def test_funnels_classes_known_lengths_and_calibration(feed: pa.Table) -> None:
    draw = np.random.default_rng(0)
    click = draw.random(len(feed)) < 0.5
    table = (
        feed.select(["user", "price"])
        .append_column("click", pa.array(click.astype(int)))
        .append_column("buy", pa.array((click & (draw.random(len(feed)) < 0.5)).astype(int)))
        .append_column("device", pa.array(np.array(["tv", "phone", "web"])[draw.integers(0, 3, len(feed))]))
        .append_column("length", pa.array(draw.uniform(10, 60, len(feed))))
        .append_column("play", pa.array(draw.uniform(0, 10, len(feed))))
    )
    schema = gw.Schema(
        features=[gw.Categorical("user", dim=4), gw.Numeric("price")],
        tasks=[
            gw.Binary("click"),
            gw.Binary("buy", after="click"),
            gw.Multiclass("device"),
            gw.Duration("play", limit="length"),
        ],
    )
    ranker = gw.Ranker(schema, gw.MMoE(experts=2, expert_dims=[4]), epochs=1, batch_size=256).fit(table)
    ranker.calibrate(table, "platt")
    found = ranker.explain(3, table, draws=5)
    check(found)
    predicted = ranker.predict(table.slice(3, 1)).to_pylist()[0]
    assert found.predictions == pytest.approx(predicted)
    assert found.calibrated == pytest.approx(ranker.predict(table.slice(3, 1), calibrated=True).to_pylist()[0])
    names = [(parts.task, parts.score) for parts in found.scores]
    assert names[:2] == [("click", "click"), ("buy", "buy_given_click")]
    assert [score for task, score in names if task == "device"] == ["device[phone]", "device[tv]", "device[web]"]
    # the logit of the probability
    assert found.scores[0].value == pytest.approx(np.log(predicted["click"] / (1 - predicted["click"])), abs=1e-5)
    assert set(ranker.feature_importance(table, repeats=1)) >= {"click", "buy_given_click", "click_and_buy", "device"}
    assert "click_and_buy" in ranker.expert_ablation(table)[0].outputs


def test_metrics_within_groups(feed: pa.Table, make_ranker) -> None:
    schema = gw.Schema(
        features=[gw.Categorical("item", dim=4), gw.Categorical("user", dim=4)],
        tasks=[gw.Binary("click")],
        group="user",
    )
    ranker = make_ranker(schema, epochs=2).fit(feed)
    found = {one.feature: one for one in ranker.feature_importance(feed, "gauc", within_groups=True)["click"]}
    assert {one.metric for one in found.values()} == {"gauc"}
    assert found["user"].by_repeat == (0.0,) * 5
    assert found["item"].low > 0.02


def test_starving_tasks_are_told_from_those_that_are_meant_to(feed: pa.Table, make_ranker) -> None:
    ranker = make_ranker(epochs=1).fit(feed.slice(0, 300))
    assert [problem for problem in ranker.problems(feed) if problem.kind == "starving task"] == []
    ranker.history[-1].train["stars"]["weight"] = 0.01
    (problem,) = (problem for problem in ranker.problems(feed) if problem.kind == "starving task")
    assert problem.who == ("stars",)
    meant = gw.Ranker(ranker.schema, "mmoe", balance=gw.Static(weights={"stars": 0.01}), epochs=1).fit(
        feed.slice(0, 300)
    )
    assert [problem for problem in meant.problems(feed) if problem.kind == "starving task"] == []


def test_ranker_and_report_see_the_same_tasks_starve(feed: pa.Table, make_ranker, tmp_path: Path) -> None:
    """The model holds the weights of the best epoch, and so that one is looked at."""
    ranker = make_ranker(epochs=2, patience=None).fit(feed.slice(0, 300), feed.slice(300, 100))
    best, last = ranker.history
    best.best, last.best = True, False
    names = [task.name for task in ranker.scorer.tasks][:2]
    for record, ratio in ((best, 1000.0), (last, 1.0)):
        record.conflict = [{"at": "experts", "tasks": names, "cosine": 0.0, "norm_ratio": ratio, "steps": 1}]
        for values in record.train.values():
            values["weight"] = 1.0
    starving = [problem for problem in ranker.problems(feed.slice(0, 50)) if problem.kind == "starving task"]
    assert [problem.who for problem in starving] == [(names[1],)]
    ranker.save(tmp_path / "model")
    found = collect(load_artefact(tmp_path / "model"), "model").of_training
    assert [problem for problem in found if problem.kind == "starving task"] == starving
    assert found == ranker.training_problems()
    best.conflict = []
    assert not [problem for problem in ranker.problems(feed.slice(0, 50)) if problem.kind == "starving task"]
