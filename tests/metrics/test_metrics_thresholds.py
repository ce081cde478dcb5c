"""Accuracy, precision, recall and F1 at a threshold, and errors relative to the label."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.metrics
import torch

import gatewise as gw
from gatewise.errors import DeclarationError, ShapeError
from gatewise.metrics import MAPE, Confusion, RunningMetrics, mape, metric_named, mse

REFERENCES = {
    "accuracy": sklearn.metrics.accuracy_score,
    "precision": sklearn.metrics.precision_score,
    "recall": sklearn.metrics.recall_score,
    "f1": sklearn.metrics.f1_score,
}


def clicks(rows: int = 900) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    # many predictions are exactly at the thresholds
    predictions = torch.randint(0, 11, (rows,), generator=generator).double() / 10
    targets = (torch.rand(rows, generator=generator) < predictions).double()
    return targets, predictions, torch.randint(0, 3, (rows,), generator=generator).double()


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("at", ["", "@0.3", "@0.5", "@0.9"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_they_equal_scikit_learn(name: str, at: str, weighted: bool, dtype: torch.dtype) -> None:
    targets, predictions, weights = clicks()
    chosen = weights if weighted else None
    metric, threshold = metric_named(name + at), float(at[1:] or 0.5)
    expected = REFERENCES[name](targets, predictions >= threshold, sample_weight=chosen)
    assert metric.compute(targets, predictions.to(dtype), chosen) == pytest.approx(expected, abs=1e-12)
    running, other = RunningMetrics([metric]), RunningMetrics([metric])
    for each, part in ((running, slice(0, 400)), (other, slice(400, None))):
        each.update(targets[part], predictions[part].to(dtype), None if chosen is None else chosen[part])
    running.merge(other)
    assert running.values() == {name + at: pytest.approx(expected, abs=1e-12)}


def test_what_is_undefined_is_none() -> None:
    none, ones, zeros = torch.tensor([]), torch.ones(3), torch.zeros(3)
    found = {name: metric_named(name).compute for name in REFERENCES}
    assert [compute(none, none) for compute in found.values()] == [None] * 4
    assert found["precision"](ones, zeros) is None
    assert found["recall"](zeros, ones) is None
    assert (found["f1"](zeros, zeros), found["f1"](zeros, ones), found["f1"](ones, zeros)) == (None, 0.0, 0.0)
    with pytest.raises(ShapeError, match=r"threshold 0\.5, found some at 0\.3"):
        Confusion().merge(metric_named("f1@0.3").from_sums.kind.empty(0.0, "cpu"))


def test_relative_errors() -> None:
    targets, predictions = torch.tensor([-2.0, 4.0, 10.0]), torch.tensor([-1.0, 4.0, 20.0])
    weights = torch.tensor([1.0, 2.0, 1.0])
    assert mape(targets, predictions) == pytest.approx(0.5)
    assert mape(targets, predictions, weights) == pytest.approx(1.5 / 4)
    assert mape(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0])) is None
    assert mape(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 2.0]), torch.tensor([0.0, 1.0])) == 1.0
    assert (mape(torch.tensor([]), torch.tensor([])), mse(torch.tensor([]), torch.tensor([]))) == (None, None)
    assert mse(targets, predictions) == pytest.approx(sklearn.metrics.mean_squared_error(targets, predictions))
    running = RunningMetrics([MAPE])
    running.update(targets, predictions)
    assert running.values() == {"mape": pytest.approx(0.5)}


ROWS = 60
TABLE = {"x": np.linspace(-1, 1, ROWS), "y": np.arange(ROWS) % 2, "z": np.arange(ROWS) + 1.0}


def test_tasks_have_the_metrics_that_they_name() -> None:
    tasks = [gw.Binary("y", metrics=["f1", "accuracy@0.3"]), gw.Regression("z", metrics=["mse", "mape"])]
    schema = gw.Schema(features=[gw.Numeric("x")], tasks=tasks)
    assert gw.Schema.from_yaml(schema.to_yaml()) == schema
    model = gw.SharedBottom(bottom_dims=[4], tower_dims=[])
    ranker = gw.Ranker(schema, model, epochs=2, batch_size=20, monitor="y.accuracy@0.3")
    found = ranker.fit(TABLE, valid=TABLE, progress=False).evaluate(TABLE)
    scored = ranker.predict(TABLE).to_pydict()
    expected = sklearn.metrics.accuracy_score(TABLE["y"], np.array(scored["y"]) >= 0.3)
    assert found["y"]["accuracy@0.3"] == pytest.approx(expected)
    assert found["z"]["mse"] == pytest.approx(found["z"]["rmse"] ** 2)
    assert found["z"]["mape"] == pytest.approx(np.mean(np.abs(TABLE["z"] - scored["z"]) / TABLE["z"]))
    streamed = ranker.evaluate_stream(TABLE).metrics
    assert streamed["y"]["f1"] == found["y"]["f1"]
    assert "f1" not in gw.Ranker(gw.Schema(features=[gw.Numeric("x")], tasks=[gw.Binary("y")])).schema.tasks[0].metrics


@pytest.mark.parametrize("name", ["f2", "f1@1.5", "f1@x", "f1@0", "mse", "auc", "mape@0.3"])
def test_other_names_are_one_line(name: str) -> None:
    with pytest.raises(DeclarationError, match="metrics: expected names of further metrics") as caught:
        gw.Binary("y", metrics=[name])
    assert repr(name) in str(caught.value)
    assert "\n" not in str(caught.value)
