"""Every kind of task through the ranker: a table in, named columns and honest metrics out."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

import gatewise as gw
from gatewise import metrics as gm
from gatewise.assembly import build_tasks
from gatewise.data import TableEncoder
from gatewise.tasks import RegressionTask, register
from gatewise.tasks.multiclass import macro_auc
from gatewise.tasks.totals import total_ratio

ROWS, NAN = 600, float("nan")
METRICS = {
    **{name: getattr(gm, name) for name in ("auc", "log_loss", "pr_auc", "pcoc", "normalised_entropy", "ece", "brier")},
    **{name: getattr(gm, name) for name in ("rmse", "mae", "r2", "spearman", "gini", "poisson_deviance")},
    "pinball": partial(gm.pinball, quantile=0.8),
    "tweedie_deviance": partial(gm.tweedie_deviance, power=1.3),
    "total_ratio": total_ratio,
}


def make_table() -> pa.Table:
    """Return rows whose labels follow from the user, with a fifth of them missing."""
    rng = np.random.default_rng(0)
    user = rng.integers(0, 12, ROWS)
    taste = np.linspace(-1.5, 1.5, 12)[user]
    length = rng.uniform(5, 60, ROWS)
    click = (taste + rng.logistic(size=ROWS) > 0).astype(float)
    cart = click * (taste + rng.logistic(size=ROWS) > 0)
    labels = {
        "click": click,
        "cart": cart,
        "buy": click * (cart + rng.logistic(size=ROWS) > 1),
        "stars": np.clip(np.round(3 + taste + rng.normal(size=ROWS)), 1, 5),
        "price": 100 + 20 * taste + rng.normal(size=ROWS),
        "visits": rng.poisson(np.exp(taste)).astype(float),
        "spent": rng.poisson(np.exp(taste)) * rng.gamma(2, 3, ROWS),
        "revenue": (taste + rng.logistic(size=ROWS) > 0) * rng.lognormal(2 + taste, 1),
        "play": np.minimum(np.expm1(np.maximum(rng.normal(2 + taste, 1.2), 0)), length),
    }
    columns = {name: pa.array(values, mask=rng.random(ROWS) < 0.2) for name, values in labels.items()}
    likely = np.where(taste > 0, 0.8, 0.2)
    device = np.where(rng.random(ROWS) < likely, "phone", rng.choice(["tv", "web"], ROWS))
    device = pa.array(device, mask=rng.random(ROWS) < 0.2)
    return pa.table(
        {"user": user, "request": np.arange(ROWS) // 6, "length": pa.array(length, mask=rng.random(ROWS) < 0.1)}
        | columns
        | {"device": device, "trust": rng.uniform(0.5, 2, ROWS)}
    )


TABLE = make_table()
CLICK = gw.Binary("click")
KINDS = {
    "focal": [gw.Binary("cart", focal=2.0, within="click")],
    "pairwise": [gw.Binary("cart", ranking="pairwise")],
    "listwise": [gw.Binary("cart", ranking="listwise", within="click")],
    "jrc": [gw.Binary("cart", loss="jrc", calibration_share=0.6, within="click")],
    "funnel": [gw.Binary("cart", after="click"), gw.Binary("buy", after="click", through="cart", learn="ips")],
    "dr": [gw.Binary("cart", after="click", learn="dr")],
    "observed": [gw.Binary("cart", after="click", learn="observed")],
    "mse": [gw.Regression("price", weight_column="trust")],
    "mae": [gw.Regression("price", loss="mae")],
    "huber": [gw.Regression("price", loss="huber", within="click")],
    "quantile": [gw.Regression("price", loss="quantile", quantile=0.8)],
    "multiclass": [gw.Multiclass("device", weight_column="trust")],
    "ordinal": [gw.Ordinal("mood", column="stars", within="click")],
    "poisson": [gw.Count("visits", weight_column="trust")],
    "tweedie": [gw.Count("spent", loss="tweedie", power=1.3)],
    "lifetime_value": [gw.LifetimeValue("revenue", within="click")],
    "lifetime_value after": [gw.LifetimeValue("revenue", after="click")],
    "duration": [gw.Duration("play")],
    "duration with a limit": [gw.Duration("play", limit="length", within="click")],
    "custom": [gw.Custom("price", by="regression", options={"loss": "huber", "delta": 0.5})],
}


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gatewise.tasks.custom._REGISTERED", {})
    register("regression", RegressionTask)


def schema_of(name: str) -> gw.Schema:
    features = [gw.Categorical("user", dim=4), gw.Numeric("length")]
    return gw.Schema(features=features, tasks=[CLICK, *KINDS[name]], group="request")


def fitted(schema: gw.Schema, table: pa.Table = TABLE, **options: object) -> gw.Ranker:
    model = gw.MMoE(experts=2, expert_dims=[8], tower_dims=[4])
    options = {"epochs": 6, "batch_size": 60, "lr": 0.02} | options
    # the doubly robust loss may fall below 0, which uncertainty weighting does not take
    signed = any(getattr(task, "learn", None) == "dr" for task in schema.tasks)
    balance = "static" if signed else "uncertainty"
    return gw.Ranker(schema, model, balance=balance, **options).fit(table.slice(0, 400), table.slice(400))


def column(table: pa.Table, name: str) -> torch.Tensor:
    return torch.from_numpy(table[name].to_numpy(zero_copy_only=False).astype(float))


def labels_of(task: object, table: pa.Table) -> dict[str, torch.Tensor]:
    """Return what each output is to be judged by, from the raw table."""
    outside = torch.ones(len(table), dtype=torch.bool) if task.within is None else column(table, task.within) == 1
    if isinstance(task, gw.Multiclass):
        known = {"phone": 0.0, "tv": 1.0, "web": 2.0, None: NAN}
        values = torch.tensor([known[value] for value in table["device"].to_pylist()], dtype=torch.float64)
    else:
        values = column(table, task.column or task.name)
    if isinstance(task, gw.Duration) and task.limit:
        values = torch.where(values > column(table, "length"), column(table, "length"), values)
    values = torch.where(outside, values, NAN)
    if isinstance(task, gw.LifetimeValue) and task.after:
        click = column(table, "click")
        given, joint = torch.where(click == 1, values, NAN), torch.where(click == 1, values, click)
        paying = torch.where(joint.isnan(), joint, (joint > 0).double())
        return {"revenue[>0]": paying, "revenue_given_click": given, "revenue": joint}
    if isinstance(task, gw.LifetimeValue):
        paying = torch.where(values.isnan(), values, (values > 0).double())
        return {"revenue[>0]": paying, "revenue": values}
    if getattr(task, "after", None):
        click, taken = column(table, "click"), values
        given = torch.where(click == 1, taken, NAN)
        return {f"{task.name}_given_click": given, f"click_and_{task.name}": torch.where(click == 1, taken, click)}
    return {task.name: values}


@pytest.mark.parametrize("name", KINDS)
def test_evaluate_is_the_metrics_of_what_is_predicted(name: str, tmp_path: Path) -> None:
    schema = schema_of(name)
    table = consistent(TABLE)
    ranker = fitted(schema, table)
    predicted, found = ranker.predict(table), ranker.evaluate(table)
    for task in schema.tasks[1:]:
        for output, labels in labels_of(task, table).items():
            known = ~labels.isnan()
            if isinstance(task, gw.Multiclass):
                names = ["device[phone]", "device[tv]", "device[web]"]
                columns = torch.stack([column(predicted, one) for one in names], dim=1)[known]
                assert columns.sum(dim=1).tolist() == pytest.approx([1.0] * len(columns))
                functions = {"accuracy": gm.accuracy, "cross_entropy": gm.cross_entropy, "macro_auc": macro_auc}
            else:
                columns = column(predicted, output)[known]
                functions = METRICS
            plain = {key: value for key, value in found[output].items() if key in functions}
            assert plain
            assert plain == pytest.approx({key: functions[key](labels[known], columns) for key in plain}, abs=1e-9)
            assert set(found[output]) - set(functions) <= {
                f"{metric}{end}" for metric in ("gauc", "ndcg@10", "mrr", "hit_rate@10") for end in ("", "_skipped")
            }
    ranker.save(tmp_path / "artefact")
    again = gw.load(tmp_path / "artefact")
    assert again.predict(table) == predicted
    assert again.evaluate(table) == found


def consistent(table: pa.Table) -> pa.Table:
    """Return a table in which nobody takes a step without a click."""
    click = column(table, "click")
    for name in ("cart", "buy", "revenue"):
        values = column(table, name)
        values = torch.where((values > 0) & (click != 1), 0.0, values)
        table = table.set_column(table.column_names.index(name), name, pa.array(values.numpy(), from_pandas=True))
    return table


@pytest.mark.parametrize("name", KINDS)
def test_the_mean_over_tasks_takes_every_kind(name: str) -> None:
    ranker = fitted(schema_of(name), consistent(TABLE), epochs=12)
    scores = [record.score for record in ranker.history]
    assert all(score is not None and -1 <= score <= 1 for score in scores)
    # the labels follow from the user, so there is something to learn
    assert max(scores) > scores[0] or max(scores) > 0.5


@pytest.mark.parametrize("name", KINDS)
def test_a_task_alone_is_what_its_control_trains(name: str) -> None:
    task = KINDS[name][-1]
    alone = schema_of(name).only(task.name)
    assert task in alone.tasks
    ranker = fitted(alone, consistent(TABLE), epochs=1)
    whole = fitted(schema_of(name), consistent(TABLE), epochs=1)
    assert set(ranker.predict(TABLE).column_names) <= set(whole.predict(TABLE).column_names)


def test_labels_need_not_be_there_when_predicting_and_limits_must() -> None:
    ranker = fitted(schema_of("duration with a limit"))
    predicted = ranker.predict(TABLE.select(["user", "length"]))
    assert predicted == ranker.predict(TABLE)
    longer = TABLE.select(["user", "length"]).set_column(1, "length", pa.array([5.0] * ROWS))
    assert max(ranker.predict(longer)["play"].to_pylist()) <= 5.0
    with pytest.raises(gw.GatewiseError, match="no column 'length'"):
        ranker.predict(TABLE.select(["user"]))


UNITS = {
    "mse": gw.Regression("price"),
    "mae": gw.Regression("price", loss="mae"),
    "huber": gw.Regression("price", loss="huber"),
    "quantile": gw.Regression("price", loss="quantile", quantile=0.8),
    "poisson": gw.Count("visits"),
    "tweedie": gw.Count("spent", loss="tweedie"),
    "lifetime_value": gw.LifetimeValue("revenue"),
    "duration": gw.Duration("play", limit="length"),
}


@pytest.mark.parametrize("name", UNITS)
def test_the_unit_of_a_label_changes_nothing_but_the_unit_of_the_prediction(name: str) -> None:
    task, label = UNITS[name], UNITS[name].name
    found = []
    for scale in (1.0, 1000.0):
        table = TABLE
        for scaled in (label, "length"):
            values = pa.array(column(TABLE, scaled).numpy() * scale, from_pandas=True)
            table = table.set_column(table.column_names.index(scaled), scaled, values)
        if isinstance(task, gw.Duration):
            task = gw.Duration("play", limit="length", unit=scale)
        encoder, encoded = TableEncoder.fit(gw.Schema(features=[gw.Categorical("user")], tasks=[task]), table)
        (built,) = build_tasks(encoder.schema, encoder.statistics)
        labels = torch.from_numpy(encoded.labels).squeeze(1)
        targets = built.targets(labels)
        draw = torch.Generator().manual_seed(0)
        scores = torch.randn(ROWS, built.num_scores, generator=draw, dtype=torch.float64).squeeze(1).requires_grad_()
        missing = (targets if targets.dim() == 1 else targets[:, 0]).isnan()
        known = torch.where(missing if targets.dim() == 1 else missing.unsqueeze(1), 0.0, targets)
        losses = built.losses(scores, known)
        losses[~missing].sum().backward()
        predicted = built.predictions({label: scores.detach()}, {label: labels})[label]
        found.append((losses.detach()[~missing], scores.grad, torch.tensor(built.initial_bias), predicted / scale))
    for plain, scaled in zip(*found, strict=True):
        torch.testing.assert_close(scaled, plain, rtol=1e-9, atol=1e-9)


def test_metrics_of_each_output_can_be_monitored() -> None:
    schema = schema_of("lifetime_value")
    for monitor in ("revenue.gini", "revenue.rmse", "revenue[>0].auc"):
        ranker = fitted(schema, epochs=1, monitor=monitor)
        output, _, metric = monitor.rpartition(".")
        value = ranker.evaluate(TABLE.slice(400))[output][metric]
        assert ranker.history[0].score == pytest.approx(-value if metric == "rmse" else value)
    with pytest.raises(gw.GatewiseError, match=r"no metric 'auc' \(metrics: gini"):
        fitted(schema, monitor="revenue.auc")


def test_a_median_is_no_mean() -> None:
    skewed = TABLE.set_column(TABLE.column_names.index("price"), "price", pa.array(np.exp(np.arange(ROWS) % 10.0)))
    found = {}
    for loss in ("mse", "mae"):
        schema = gw.Schema(features=[gw.Numeric("length")], tasks=[gw.Regression("price", loss=loss)])
        predicted = fitted(schema, skewed, epochs=20).predict(skewed)["price"].to_numpy()
        found[loss] = float(np.median(predicted))
    assert found["mae"] < 2 * math.exp(5) < found["mse"]
