from __future__ import annotations

import math

import pytest
import torch

from gatewise.tasks import LifetimeValueTask
from gatewise.tasks.normal import SHARPEST, spread_of

TASK = LifetimeValueTask("revenue", rate=0.2, log_mean=1.5, log_std=0.7)


def simulated(p: float, mean: float, spread: float, rows: int = 50_000) -> torch.Tensor:
    draw = torch.Generator().manual_seed(1)
    value = (mean + spread * torch.randn(rows, generator=draw, dtype=torch.float64)).exp()
    return torch.where(torch.rand(rows, generator=draw) < p, value, 0.0)


def test_losses_by_hand() -> None:
    scores = torch.tensor([[-1.0, 0.4, 0.3], [-1.0, 0.4, 0.3]], dtype=torch.float64)
    p, spread = 1 / (1 + math.exp(1.0)), SHARPEST + math.log1p(math.exp(0.3))
    z = (math.log(9.0) - 1.5) / 0.7
    value = (z - 0.4) ** 2 / (2 * spread**2) + math.log(spread / SHARPEST)
    targets = TASK.targets(torch.tensor([0.0, 9.0], dtype=torch.float64))
    assert targets.tolist() == [[0, 0], [1, pytest.approx(z)]]
    assert TASK.losses(scores, targets).tolist() == pytest.approx([-math.log(1 - p), -math.log(p) + value])


def test_the_loss_is_the_log_normal_likelihood_but_for_a_constant() -> None:
    labels = torch.tensor([0.5, 3.0, 40.0], dtype=torch.float64)
    scores = torch.tensor([[0.0, 0.4, 0.3]], dtype=torch.float64).expand(3, -1)
    mean, spread = 1.5 + 0.7 * 0.4, 0.7 * spread_of(scores[0, 2])
    density = torch.distributions.LogNormal(mean, spread).log_prob(labels)
    rest = TASK.losses(scores, TASK.targets(labels)) + density + labels.log()
    torch.testing.assert_close(rest, rest[:1].expand(3))


def test_parameters_are_recovered(fitted) -> None:
    labels = simulated(0.3, 2.0, 0.9)
    weights = fitted(TASK, torch.ones(50_000, 1, dtype=torch.float64), labels)[0]
    assert float(weights[0].sigmoid()) == pytest.approx(0.3, abs=0.01)
    assert 1.5 + 0.7 * float(weights[1]) == pytest.approx(2.0, abs=0.03)
    assert 0.7 * float(spread_of(weights[2])) == pytest.approx(0.9, abs=0.03)


def test_predictions_are_the_means_of_the_distribution() -> None:
    scores = torch.tensor([[-0.4, 0.5, -0.2]], dtype=torch.float64)
    mean, spread = 1.5 + 0.7 * 0.5, 0.7 * float(spread_of(torch.tensor(-0.2)))
    p = 1 / (1 + math.exp(0.4))
    value, positive = TASK.predict(scores)[0].tolist()
    labels = simulated(p, mean, spread, 2_000_000)
    assert positive == pytest.approx(p)
    assert value == pytest.approx(float(labels.mean()), rel=0.01)
    assert TASK.columns == ("revenue", "revenue[>0]")


def test_an_untrained_task_starts_from_the_training_labels() -> None:
    scores = torch.tensor([TASK.initial_bias], dtype=torch.float64)
    value, positive = TASK.predict(scores)[0].tolist()
    assert positive == pytest.approx(0.2)
    assert value == pytest.approx(0.2 * math.exp(1.5 + 0.7**2 / 2), rel=1e-6)


def test_paying_and_value_are_judged_apart() -> None:
    labels = torch.tensor([0.0, 8.0, math.nan, 2.0], dtype=torch.float64)
    predictions = {
        "revenue": torch.tensor([1.0, 3.0, 99.0, 4.0], dtype=torch.float64),
        "revenue[>0]": torch.tensor([0.3, 0.2, 0.9, 0.6], dtype=torch.float64),
    }
    found = TASK.evaluate_among({"revenue": labels}, predictions)
    assert found["revenue[>0]"] == {"auc": 0.5}
    assert found["revenue"]["mae"] == pytest.approx((1 + 5 + 2) / 3)
    assert found["revenue"]["total_ratio"] == pytest.approx(8 / 10)
    assert set(found["revenue"]) == {"gini", "spearman", "rmse", "mae", "total_ratio"}
    assert list(found)[-1] == "revenue" == TASK.outputs[-1]


def test_no_expected_value_is_far_above_all_labels() -> None:
    bounded = LifetimeValueTask("revenue", rate=0.2, log_mean=1.5, log_std=0.7, log_largest=math.log(50.0))
    usual, wide = torch.tensor([[0.0, 0.1, 0.3]]), torch.tensor([[0.0, 1.0, 9.0]])
    torch.testing.assert_close(bounded.predict(usual), TASK.predict(usual))
    assert TASK.predict(wide)[0, 0] > 1e6
    assert bounded.predict(wide)[0].tolist() == pytest.approx([0.5 * 500, 0.5])
    # of members too, of which only one is wide
    merged = bounded.merged(torch.stack([usual, wide], dim=1))
    mean = (bounded.predict(usual)[0, 0] + bounded.predict(wide)[0, 0]) / 2
    assert bounded.predict(merged)[0, 0] == pytest.approx(float(mean), rel=1e-5)
