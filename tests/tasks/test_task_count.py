from __future__ import annotations

import math

import pytest
import torch

from gatewise.errors import DeclarationError
from gatewise.tasks import CountTask
from gatewise.tasks.exponential import LARGEST, growth
from gatewise.tasks.totals import total_ratio
from sklearn import metrics as sk


@pytest.mark.parametrize(("loss", "power"), [("poisson", 1.0), ("tweedie", 1.2), ("tweedie", 1.9)])
def test_losses_are_half_of_the_deviance_of_scaled_labels(loss: str, power: float) -> None:
    task = CountTask("visits", loss=loss, power=power if power > 1 else 1.5, mean=4.0)
    labels = torch.tensor([0.0, 1.0, 8.0, 30.0], dtype=torch.float64)
    scores = torch.tensor([-1.0, 0.5, 0.7, 2.0], dtype=torch.float64)
    losses = task.losses(scores, task.targets(labels))
    predictions = task.predict(scores)
    torch.testing.assert_close(predictions, 4 * scores.exp())
    deviance = [
        sk.mean_tweedie_deviance([y / 4], [p / 4], power=power)
        for y, p in zip(labels.tolist(), predictions.tolist(), strict=True)
    ]
    assert losses.tolist() == pytest.approx([d / 2 for d in deviance])
    found = task.evaluate(labels, predictions)
    expected = sk.mean_tweedie_deviance(labels, predictions, power=power)
    assert found[f"{loss}_deviance"] == pytest.approx(expected)
    assert found["total_ratio"] == pytest.approx(float(predictions.sum() / labels.sum()))
    assert set(found) == {f"{loss}_deviance", "rmse", "mae", "total_ratio", "gini", "spearman"}


def test_a_poisson_rate_is_recovered(inputs, fitted) -> None:
    labels = torch.poisson((0.3 + 0.9 * inputs[:, 1]).exp(), generator=torch.Generator().manual_seed(1))
    mean = float(labels.mean())
    weights = fitted(CountTask("y", mean=mean), inputs, labels)
    assert (math.log(mean) + weights[0]).item() == pytest.approx(0.3, abs=0.02)
    assert weights[1].item() == pytest.approx(0.9, abs=0.03)


def test_a_tweedie_mean_is_recovered(inputs, fitted) -> None:
    torch.manual_seed(0)
    # a Poisson number of parts, each 2 on average
    numbers = torch.poisson((-0.5 + 0.7 * inputs[:, 1]).exp())
    parts = torch.distributions.Gamma((3 * numbers).clamp(min=1e-9), 1.5).sample()
    labels = torch.where(numbers > 0, parts, 0.0)
    mean = float(labels.mean())
    task = CountTask("y", loss="tweedie", power=1.4, mean=mean)
    weights = fitted(task, inputs, labels)
    assert (math.log(mean) + weights[0]).item() == pytest.approx(math.log(2) - 0.5, abs=0.03)
    assert weights[1].item() == pytest.approx(0.7, abs=0.05)


def test_growth_goes_on_as_a_straight_line() -> None:
    x = torch.tensor([-LARGEST, 0.0, LARGEST - 1e-3, LARGEST + 2, 1e4], dtype=torch.float64, requires_grad=True)
    value = growth(x)
    (slope,) = torch.autograd.grad(value.sum(), x)
    top = math.exp(LARGEST)
    torch.testing.assert_close(value[:3], x[:3].exp())
    torch.testing.assert_close(slope[:3], x[:3].exp())
    assert value[3:].tolist() == pytest.approx([3 * top, (1 + 1e4 - LARGEST) * top])
    assert slope[3:].tolist() == pytest.approx([top, top])


def test_total_ratio() -> None:
    actual, predicted = torch.tensor([0.0, 3.0, 5.0]), torch.tensor([1.0, 1.0, 4.0])
    assert total_ratio(actual, predicted) == pytest.approx(6 / 8)
    assert total_ratio(actual, predicted, torch.tensor([1.0, 2.0, 0.0])) == pytest.approx(3 / 6)
    assert total_ratio(actual[:1], predicted[:1]) is None
    assert total_ratio(actual[:0], predicted[:0]) is None
    # what stands under a weight of 0 does not count
    assert total_ratio(torch.tensor([math.nan, 2.0]), torch.ones(2), torch.tensor([0.0, 1.0])) == 0.5


def test_a_loss_that_is_none() -> None:
    with pytest.raises(DeclarationError, match=r"loss: expected one of poisson, tweedie, found 'poison'.*'poisson'"):
        CountTask("y", loss="poison")
