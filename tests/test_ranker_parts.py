"""Options of single parts: activations, dropout, gates and towers of their own, and towers that read other towers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.errors import DeclarationError
from gatewise.export import OnnxScorer

CLICK, BUY, STARS = gw.Binary("click"), gw.Binary("buy"), gw.Regression("stars")
FEATURES = [gw.Categorical("user", dim=4), gw.Sequence("tags", dim=4), gw.Numeric("price")]
SMALL = {"experts": 3, "expert_dims": [6], "gate_dims": [4]}
MODELS = {
    "a shape per task": gw.MMoE(**SMALL, tower_dims={"stars": [8, 4], "click": [], "buy": [4]}),
    "residual towers of their own shape": gw.PLE(
        expert_dims=[6], tower_dims={"click": [4], "buy": [4], "stars": []}, tower_residual=True
    ),
    "levels of their own shape": gw.PLE(expert_dims=[[8, 6], [4]], tower_dims=[4]),
    "activations of parts": gw.MMoE(
        **SMALL, expert_activation="dice", gate_activation="sigmoid", tower_activation="prelu", norm="batch"
    ),
    "dropout of parts": gw.MMoE(**SMALL, dropout=0.2, expert_dropout=0.1, gate_dropout=0.3, tower_dropout=0.0),
    "experts of several kinds": gw.MMoE(
        experts=[
            gw.MLPExpert(dims=[6]),
            gw.ResidualExpert(dims=[6]),
            gw.ConvolutionalExpert(width=6, channels=3),
            gw.CrossExpert(width=6),
        ],
        expert_activation="dice",
    ),
    "a gate per task": gw.MMoE(**SMALL, gate=["softmax", gw.TopKGate(k=2), {"kind": "dselect_k", "k": 1}]),
    "a gate per task in two levels": gw.MMoE(**SMALL, levels=2, gate=["softmax", "attention", gw.TopKGate(k=1)]),
}


def schema_of(*tasks: gw.Binary | gw.Regression) -> gw.Schema:
    return gw.Schema(features=FEATURES, tasks=list(tasks or (CLICK, BUY, STARS)))


@pytest.fixture(scope="module")
def rows(feed: pa.Table) -> pa.Table:
    drawn = np.random.default_rng(0).random(len(feed)) < 0.3
    return feed.append_column("buy", pa.array(drawn.astype(np.int64))).slice(0, 300)


def survives(ranker: gw.Ranker, table: pa.Table, folder: Path) -> None:
    """Check that the artefact and the ONNX file predict as the model does."""
    expected = ranker.predict(table)
    ranker.save(folder / "artefact")
    assert gw.load(folder / "artefact").predict(table) == expected
    ranker.export_onnx(folder / "model.onnx")
    found = OnnxScorer(folder / "model.onnx", ranker.scorer).run(table)
    for name in expected.column_names:
        np.testing.assert_allclose(found[name], expected[name].to_numpy(), rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.filterwarnings("ignore:expert .* is dead", "ignore:the gate of task")
@pytest.mark.parametrize("name", MODELS)
def test_every_option_trains_and_survives_saving_and_export(name: str, rows: pa.Table, tmp_path: Path) -> None:
    ranker = gw.Ranker(schema_of(), MODELS[name], epochs=1, batch_size=64).fit(rows)
    assert ranker.options.model == MODELS[name]
    survives(ranker, rows, tmp_path)


@pytest.mark.filterwarnings("ignore:expert .* is dead", "ignore:the gate of task")
@pytest.mark.parametrize(
    "model", [gw.MMoE(**SMALL), gw.SharedBottom(), gw.PLE(expert_dims=[6]), gw.AITM(order=["click", "buy", "stars"])]
)
def test_a_tower_reads_other_towers_on_every_trunk(model, rows: pa.Table, tmp_path: Path) -> None:
    tasks = (gw.Binary("click"), gw.Binary("buy", reads=["click"]), gw.Regression("stars", reads=["buy", "click"]))
    ranker = gw.Ranker(schema_of(*tasks), model, epochs=1, batch_size=64).fit(rows)
    assert ranker.schema.tasks[2].reads == ("buy", "click")
    survives(ranker, rows, tmp_path)
    towers = ranker.scorer.model.towers
    assert towers.reads == ((), (0,), (1, 0))
    before = ranker.predict(rows)
    # the tower of click alone changes: what reads it, changes too
    for parameter in towers.towers[0].hidden.parameters():
        parameter.data.add_(0.5)
    after = ranker.predict(rows)
    assert all(before[name] != after[name] for name in before.column_names)


def test_a_single_task_model_of_a_reading_task_stands_alone() -> None:
    schema = schema_of(gw.Binary("click"), gw.Binary("buy", reads=["click"]))
    (buy,) = schema.only("buy").tasks
    assert buy.reads == ()
    assert [task.reads for task in schema.only("click", "buy").tasks] == [(), ("click",)]


@pytest.mark.filterwarnings("ignore:expert .* is dead", "ignore:the gate of task")
def test_comparison_with_shapes_per_task(rows: pa.Table, tmp_path: Path) -> None:
    tasks = gw.Binary("click"), gw.Binary("buy", reads=["click"])
    ranker = gw.Ranker(schema_of(*tasks), gw.MMoE(**SMALL, tower_dims={"click": [4], "buy": [8, 2]}), epochs=1)
    tables = rows.slice(0, 200), rows.slice(200, 50), rows.slice(250)
    found = gw.compare(ranker, *tables, seeds=1, samples=20, workers=1, run_dir=tmp_path)
    assert set(found.metrics) == {"MMoE", "shared bottom", "single task"}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            gw.MMoE(tower_dims={"click": [4], "buy": [4]}),
            "tower_dims: task 'stars' is missing: give widths for every task",
        ),
        (
            gw.MMoE(tower_dims={"click": [4], "buy": [4], "starz": [4]}),
            "tower_dims: no task 'starz' .*; did you mean 'stars'",
        ),
        (gw.MMoE(gate=["softmax", "top_k"]), "gate: expected 3 gates, one per task, found 2"),
        (gw.MMoE(gate=["softmax", "softmax", gw.TopKGate(k=9)]), r"gate\[2\].k: expected at most 8, .* found 9"),
        (gw.PLE(gate=["softmax"] * 3), "gate: expected one kind for all gates, .*; found a list"),
    ],
)
def test_what_does_not_fit_the_tasks_is_refused(model: gw.MMoE, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        gw.Ranker(schema_of(), model)


@pytest.mark.parametrize(
    ("reads", "message"),
    [
        ({"buy": ["clik"]}, "task 'buy': reads 'clik', which is not a task; did you mean 'click'"),
        ({"buy": ["buy"]}, "task 'buy': reads leads back to itself: 'buy' -> 'buy'"),
        ({"click": ["buy"], "buy": ["click"]}, "reads leads back to itself: '.*' -> '.*' -> '.*'"),
    ],
)
def test_what_cannot_be_read_is_refused(reads: dict[str, list[str]], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        schema_of(*(gw.Binary(name, reads=reads.get(name, [])) for name in ("click", "buy")))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tower_dims": {"click": [True]}}, "tower_dims.*expected a number, found true"),
        ({"tower_dims": {"click": [0]}}, "tower_dims.*greater than 0"),
        ({"tower_dims": [True]}, "tower_dims.*expected a number, found true"),
        ({"tower_activation": "mish"}, "tower_activation.*'dice'"),
        ({"gate_dropout": 1.0}, "gate_dropout.*less than 1"),
    ],
)
def test_bad_options_are_refused_by_name(options: dict[str, object], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        gw.MMoE(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"expert_dims": [[8], [4], [2]]}, "expert_dims: expected 2 lists of widths, one per level, found 3"),
        ({"expert_dims": [[8], 4]}, "expert_dims"),
        ({"expert_dims": [[8], [0]]}, "expert_dims.*greater than 0"),
    ],
)
def test_widths_per_level_are_those_of_all_levels(options: dict[str, object], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        gw.PLE(**options)
