from __future__ import annotations

import math

import pytest
import torch

from gatewise.tasks import OrdinalTask

LEVELS = [1.0, 2.0, 4.0, 8.0]


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_likelihoods_by_hand() -> None:
    task = OrdinalTask("stars", levels=LEVELS)
    scores = torch.tensor([[1.0, -0.5, 2.0]], dtype=torch.float64)
    c1 = 1.0
    c2 = c1 - math.log1p(math.exp(-0.5))
    c3 = c2 - math.log1p(math.exp(2.0))
    above = [1.0, sigmoid(c1), sigmoid(c2), sigmoid(c3), 0.0]
    likelihood = [above[k] - above[k + 1] for k in range(4)]
    targets = task.targets(torch.tensor(LEVELS, dtype=torch.float64))
    assert targets.tolist() == [0, 1, 2, 3]
    losses = task.losses(scores.expand(4, -1), targets)
    assert losses.tolist() == pytest.approx([-math.log(p) for p in likelihood])
    assert sum((-losses).exp()).item() == pytest.approx(1)
    expected = sum(level * p for level, p in zip(LEVELS, likelihood, strict=True))
    assert task.predict(scores).tolist()[0] == pytest.approx([expected, *above[1:4]])
    assert task.columns == ("stars", "stars[>=2]", "stars[>=4]", "stars[>=8]")


def test_an_untrained_task_predicts_the_rates() -> None:
    task = OrdinalTask("stars", levels=LEVELS, rates=[0.1, 0.2, 0.4, 0.3])
    predicted = task.predict(torch.tensor([task.initial_bias])).tolist()[0]
    assert predicted == pytest.approx([0.1 + 0.4 + 1.6 + 2.4, 0.9, 0.7, 0.3], rel=1e-6)


def test_thresholds_and_slope_are_recovered(inputs, fitted) -> None:
    thresholds = torch.tensor([1.5, 0.2, -1.0], dtype=torch.float64)
    slope = 0.8
    uniform = torch.rand(50_000, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    above = (thresholds + slope * inputs[:, 1:]).sigmoid() > uniform
    labels = torch.tensor(LEVELS, dtype=torch.float64)[above.sum(dim=1)]
    task = OrdinalTask("stars", levels=LEVELS)
    weights = fitted(task, inputs, labels)
    first, steps = weights[0, 0], torch.nn.functional.softplus(weights[0, 1:])
    learnt = torch.cat([first.reshape(1), first - steps.cumsum(0)])
    # four standard errors of a logit from 50,000 rows
    torch.testing.assert_close(learnt, thresholds, atol=0.05, rtol=0)
    assert float(weights[1, 0]) == pytest.approx(slope, abs=0.08)
    predicted = task.predict(inputs @ weights)[:, 0]
    assert float(predicted.mean()) == pytest.approx(float(labels.mean()), abs=0.01)


def test_unknown_labels_stay_unknown() -> None:
    task = OrdinalTask("stars", levels=LEVELS)
    assert task.targets(torch.tensor([math.nan, 4.0], dtype=torch.float64)).isnan().tolist() == [True, False]
    metrics = task.evaluate_among(
        {"stars": torch.tensor([math.nan, 4.0, 1.0])}, {"stars": torch.tensor([9.0, 3.0, 2.0]).double()}
    )
    assert metrics == {"stars": pytest.approx({"rmse": 1.0, "mae": 1.0, "r2": 1 - 2 / 4.5, "spearman": 1.0})}
