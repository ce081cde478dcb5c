from __future__ import annotations

import pytest
import torch
from sklearn.metrics import mean_poisson_deviance, mean_tweedie_deviance

from gatewise.errors import ShapeError
from gatewise.metrics import poisson_deviance, tweedie_deviance


def sample(zeros: bool = True) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    predictions = torch.rand(5000, generator=generator, dtype=torch.float64) * 3 + 0.01
    targets = torch.poisson(predictions, generator=generator)
    return targets if zeros else targets + 0.5, predictions, torch.rand(5000, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("weighted", [False, True])
def test_poisson_equals_scikit_learn(weighted: bool) -> None:
    targets, predictions, weights = sample()
    chosen = weights if weighted else None
    expected = mean_poisson_deviance(targets, predictions, sample_weight=chosen)
    assert poisson_deviance(targets, predictions, chosen) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("power", [-1, 0, 1, 1.2, 1.5, 1.99, 2, 2.5, 3])
@pytest.mark.parametrize("weighted", [False, True])
def test_tweedie_equals_scikit_learn(power: float, weighted: bool) -> None:
    targets, predictions, weights = sample(zeros=power < 2)
    if power <= 0:
        targets = targets - 1
    chosen = weights if weighted else None
    expected = mean_tweedie_deviance(targets, predictions, sample_weight=chosen, power=power)
    assert tweedie_deviance(targets, predictions, chosen, power=power) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_the_default_power_is_one_and_a_half() -> None:
    targets, predictions, _ = sample()
    expected = mean_tweedie_deviance(targets, predictions, power=1.5)
    assert tweedie_deviance(targets, predictions) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("power", [0, 1, 1.5, 2, 3])
def test_a_perfect_prediction_costs_nothing(power: float) -> None:
    values = torch.tensor([0.5, 2.0, 7.0], dtype=torch.float64)
    assert tweedie_deviance(values, values, power=power) == pytest.approx(0.0, abs=1e-12)
    assert poisson_deviance(values, values) == 0.0


def test_values_without_a_place_are_refused() -> None:
    one, zero, less = torch.tensor([1.0]), torch.tensor([0.0]), torch.tensor([-1.0])
    with pytest.raises(ShapeError, match=r"^poisson_deviance: expected targets of at least 0, found -1$"):
        poisson_deviance(less, one)
    with pytest.raises(ShapeError, match=r"^poisson_deviance: expected predictions above 0, found 0$"):
        poisson_deviance(one, zero)
    with pytest.raises(ShapeError, match=r"^tweedie_deviance: expected targets of at least 0, found -1$"):
        tweedie_deviance(less, one)
    with pytest.raises(ShapeError, match=r"^tweedie_deviance: expected targets above 0, found 0$"):
        tweedie_deviance(zero, one, power=2)
    with pytest.raises(ShapeError, match=r"^tweedie_deviance: expected predictions above 0, found -1$"):
        tweedie_deviance(less, less, power=-1)
    assert tweedie_deviance(less, less, power=0) == 0.0


@pytest.mark.parametrize("power", [0.5, float("nan")])
def test_powers_of_no_distribution_are_refused(power: float) -> None:
    with pytest.raises(ShapeError, match=f"^tweedie_deviance: expected power up to 0 or from 1, found {power}$"):
        tweedie_deviance(torch.ones(1), torch.ones(1), power=power)
