from __future__ import annotations

import pytest
import torch

from gatewise.errors import DeclarationError
from gatewise.tasks import RegressionTask
from sklearn import metrics as sk


@pytest.mark.parametrize(
    ("loss", "error", "expected"),
    [
        ("mse", -3.0, 9.0),
        ("mae", -3.0, 3.0),
        ("huber", 0.5, 0.125),
        ("huber", -3.0, 2.0 * (3.0 - 1.0)),
        ("quantile", 3.0, 0.8 * 3.0),
        ("quantile", -3.0, 0.2 * 3.0),
    ],
)
def test_losses_by_hand(loss: str, error: float, expected: float) -> None:
    task = RegressionTask("y", loss=loss, delta=2.0, quantile=0.8, mean=10.0, std=2.0)
    targets = task.targets(torch.tensor([11.0]))
    assert targets.item() == 0.5
    assert task.losses(targets - error, targets).item() == pytest.approx(expected)


@pytest.mark.parametrize("quantile", [0.1, 0.5, 0.9])
def test_the_share_of_labels_below_a_quantile(quantile: float, inputs, fitted) -> None:
    noise = torch.randn(50_000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    labels = 3 + 2 * inputs[:, 1] + (2 + inputs[:, 1]) * noise.exp()
    task = RegressionTask("y", loss="quantile", quantile=quantile)
    predictions = task.predict((inputs @ fitted(task, inputs, labels)).squeeze(1))
    low = inputs[:, 1] < 0
    for rows in (low, ~low):
        assert (labels < predictions)[rows].double().mean() == pytest.approx(quantile, abs=0.01)


def test_means_medians_and_outliers(inputs, fitted) -> None:
    # a tenth of the labels is 100, the others are 0 to 1
    labels = torch.rand(50_000, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    labels[:5000] = 100.0
    constant = inputs[:, :1]
    found = {}
    for loss in ("mse", "mae", "huber"):
        task = RegressionTask("y", loss=loss, delta=0.1)
        found[loss] = float(fitted(task, constant, labels).squeeze())
    assert found["mse"] == pytest.approx(float(labels.mean()), rel=1e-6)
    assert found["mae"] == pytest.approx(float(labels.median()), abs=0.01)
    assert found["mae"] < found["huber"] < 0.7


def test_metrics_and_what_stands_for_them() -> None:
    labels, predictions = torch.tensor([1.0, 2.0, 4.0]).double(), torch.tensor([1.5, 1.0, 3.0]).double()
    plain = RegressionTask("y").evaluate(labels, predictions)
    assert set(plain) == {"rmse", "mae", "r2", "spearman"}
    task = RegressionTask("y", loss="quantile", quantile=0.9)
    metrics = task.evaluate(labels, predictions)
    assert metrics["pinball"] == pytest.approx(sk.mean_pinball_loss(labels, predictions, alpha=0.9))
    summaries = {loss: RegressionTask("y", loss=loss).summary.name for loss in ("mse", "huber", "mae", "quantile")}
    assert summaries == {"mse": "r2", "huber": "r2", "mae": "spearman", "quantile": "spearman"}


def test_an_untrained_task_predicts_its_start() -> None:
    for start, expected in ((None, 5.0), (7.0, 7.0)):
        task = RegressionTask("y", loss="quantile", quantile=0.9, mean=5.0, std=2.0, start=start)
        assert float(task.predict(torch.tensor([task.initial_bias]))) == pytest.approx(expected)


def test_a_loss_that_is_none() -> None:
    with pytest.raises(
        DeclarationError, match=r"loss: expected one of mse, mae, huber, quantile, found 'hubr'.*'huber'"
    ):
        RegressionTask("y", loss="hubr")
