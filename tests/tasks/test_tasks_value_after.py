"""A value after a step of a funnel."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

import gatewise as gw
from gatewise.errors import DeclarationError, GatewiseWarning
from gatewise.jobs import Tables, Trees
from gatewise.tasks import BinaryTask, FunnelTask, LifetimeValueTask, ValueAfterTask

NAN = float("nan")
CLICK = BinaryTask("click", rate=0.3)
BUY = FunnelTask("buy", after=[CLICK], rate=0.4)
SPEND = ValueAfterTask("spend", after=[CLICK, BUY], rate=0.9, log_mean=1.0, log_std=0.5)
LABELS = {
    "click": torch.tensor([0.0, 1.0, 1.0, 1.0, NAN], dtype=torch.float64),
    "buy": torch.tensor([0.0, 0.0, 1.0, 1.0, NAN], dtype=torch.float64),
    "spend": torch.tensor([NAN, NAN, 8.0, 0.0, 3.0], dtype=torch.float64),
}


def test_the_value_is_learnt_in_rows_that_took_all_steps_and_judged_in_all() -> None:
    assert SPEND.targets_among(LABELS)[:, 0].tolist() == pytest.approx([NAN, NAN, 1, 0, NAN], nan_ok=True)
    judged = {name: labels.tolist() for name, labels in SPEND.judged(LABELS).items()}
    # rows that left the funnel brought nothing, also where the value is not known
    assert judged["spend"] == pytest.approx([0, 0, 8, 0, NAN], nan_ok=True)
    assert judged["spend[>0]"] == pytest.approx([0, 0, 1, 0, NAN], nan_ok=True)
    assert judged["spend_given_buy"] == pytest.approx([NAN, NAN, 8, 0, NAN], nan_ok=True)
    assert tuple(judged) == SPEND.outputs


def test_predictions_are_products_with_the_probability_of_all_steps() -> None:
    draw = torch.Generator().manual_seed(0)
    scores = {name: torch.randn(50, generator=draw) for name in ("click", "buy")}
    scores["spend"] = torch.randn(50, 3, generator=draw)
    found = SPEND.predictions(scores, {})
    both = BUY.predictions(scores, {})["click_and_buy"]
    value, there = LifetimeValueTask("spend", rate=0.9, log_mean=1.0, log_std=0.5).predict(scores["spend"]).unbind(1)
    assert torch.equal(found["spend_given_buy"], value)
    assert torch.equal(found["spend"], both * value)
    assert torch.equal(found["spend[>0]"], both * there)
    assert (found["spend[>0]"] <= both).all()


def test_members_are_averaged_over_all_rows() -> None:
    draw, members = torch.Generator().manual_seed(1), 3
    apart = {name: torch.randn(20, members, generator=draw, dtype=torch.float64) for name in ("click", "buy")}
    apart["spend"] = torch.randn(20, members, 3, generator=draw, dtype=torch.float64)
    merged = {task.name: task.merged_among(apart) for task in (CLICK, BUY, SPEND)}
    found = SPEND.predictions(merged, {})
    each = [SPEND.predictions({name: part[:, i] for name, part in apart.items()}, {}) for i in range(members)]
    for name in ("spend", "spend[>0]"):
        torch.testing.assert_close(found[name], torch.stack([one[name] for one in each]).mean(dim=0))


ROWS = 3000
RNG = np.random.default_rng(0)
X = RNG.normal(size=ROWS)
CLICKED = (X + RNG.normal(size=ROWS) > 0).astype(int)
BOUGHT = CLICKED * (X + RNG.normal(size=ROWS) > 0.5)
TABLE = {"x": X, "click": CLICKED, "buy": BOUGHT, "spend": np.where(BOUGHT, RNG.lognormal(1 + X, 0.3), 0.0)}
SCHEMA = gw.Schema(
    features=[gw.Numeric("x")],
    tasks=[gw.Binary("click"), gw.Binary("buy", after="click"), gw.LifetimeValue("spend", after="buy")],
)


@pytest.fixture(scope="module")
def ranker() -> gw.Ranker:
    model = gw.MMoE(experts=2, expert_dims=[16], tower_dims=[8])
    return gw.Ranker(SCHEMA, model, epochs=10, batch_size=64, lr=0.01).fit(TABLE)


def test_one_event_has_one_probability_and_the_total_is_met(ranker) -> None:
    found = {name: column.to_numpy() for name, column in zip(*_columns(ranker.predict(TABLE)), strict=True)}
    # here a purchase is a value above 0, and nobody has to learn that twice
    assert found["spend[>0]"] == pytest.approx(found["click_and_buy"], rel=0.02)
    assert found["spend"].sum() == pytest.approx(TABLE["spend"].sum(), rel=0.1)
    assert found["spend"] == pytest.approx(found["click_and_buy"] * found["spend_given_buy"])
    metrics = ranker.evaluate(TABLE)
    assert metrics["spend"]["gini"] > 0.8
    assert metrics["spend_given_buy"]["spearman"] > 0.8


def _columns(table):
    return table.column_names, table.columns


def test_calibrated_steps_calibrate_the_value(ranker, tmp_path: Path) -> None:
    ranker.save(tmp_path / "model")
    copy = gw.load(tmp_path / "model").calibrate(TABLE)
    names, columns = _columns(copy.predict(TABLE, calibrated=True))
    found = dict(zip(names, (column.to_numpy() for column in columns), strict=True))
    assert found["spend"] == pytest.approx(found["click_and_buy"] * found["spend_given_buy"])
    assert (found["spend[>0]"] <= found["click_and_buy"] * (1 + 1e-9)).all()
    assert found["click_and_buy"].mean() == pytest.approx(BOUGHT.mean(), rel=0.05)


@pytest.mark.parametrize("calibrated", [False, True])
def test_an_exported_model_predicts_the_same(ranker, tmp_path: Path, calibrated) -> None:
    pytest.importorskip("onnxruntime")
    ranker.save(tmp_path / "model")
    copy = gw.load(tmp_path / "model")
    if calibrated:
        copy.calibrate(TABLE)
    # compares with the live model, and refuses to write what differs
    copy.export_onnx(tmp_path / "model.onnx")
    assert (tmp_path / "model.onnx").exists()


def test_a_value_without_its_step_counts_as_none() -> None:
    table = {name: column.copy() for name, column in TABLE.items()}
    wrong = np.flatnonzero(BOUGHT == 0)[:7]
    table["spend"][wrong] = 9.0
    with pytest.warns(GatewiseWarning, match="task 'spend': 7 of 3,000 rows have a value without 'buy'; they count as"):
        gw.Ranker(SCHEMA, gw.SharedBottom(bottom_dims=[4]), epochs=1).fit(table)


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ([gw.Binary("buy"), gw.LifetimeValue("spend", after="bui")], "after 'bui' is no task; did you mean 'buy'"),
        ([gw.Count("buy"), gw.LifetimeValue("spend", after="buy")], "after 'buy' is no binary task"),
    ],
)
def test_a_step_before_is_a_binary_task(tasks, message) -> None:
    with pytest.raises(DeclarationError, match=message):
        gw.Schema(features=[gw.Numeric("x")], tasks=tasks)


def test_within_and_after_are_two_samples() -> None:
    with pytest.raises(DeclarationError, match="within does not go with 'after'"):
        gw.LifetimeValue("spend", after="buy", within="click")


def test_a_schema_of_the_value_alone_keeps_its_steps() -> None:
    assert [task.name for task in SCHEMA.only("spend").tasks] == ["click", "buy", "spend"]
    assert gw.Schema.from_json(SCHEMA.to_json()) == SCHEMA


def test_trees_learn_all_outputs() -> None:
    pytest.importorskip("lightgbm")
    train, test = pa.table(TABLE).slice(0, 2000), pa.table(TABLE).slice(2000)
    found = Trees(SCHEMA).learn(0, Tables(train, test, test)).columns
    bought = BOUGHT[2000:] == 1
    assert np.corrcoef(found["spend_given_buy"][bought], TABLE["spend"][2000:][bought])[0, 1] > 0.7
    assert found["spend[>0]"].max() <= 1
