from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from gatewise.metrics import auc, gini


def area(targets: np.ndarray, order: np.ndarray) -> float:
    """What lies between the Lorenz curve of the targets, drawn in an order, and the diagonal."""
    curve = np.concatenate([[0.0], targets[order].cumsum() / targets.sum()])
    return float((curve[1:] + curve[:-1]).mean() / 2 - 0.5)


def sample(rows: int = 2000) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    predictions = torch.rand(rows, generator=generator, dtype=torch.float64)
    values = torch.randn(rows, generator=generator, dtype=torch.float64).exp() * predictions
    return torch.where(torch.rand(rows, generator=generator) < 0.5, values, 0.0), predictions


def test_is_the_ratio_of_areas() -> None:
    targets, predictions = sample()
    y = targets.numpy()
    expected = area(y, np.argsort(-predictions.numpy())) / area(y, np.argsort(-y))
    assert gini(targets, predictions) == pytest.approx(expected, abs=1e-12)


def test_ties_are_the_mean_over_their_orders() -> None:
    y, p = np.array([5.0, 1.0, 0.0, 2.0, 7.0]), np.array([0.3, 0.3, 0.9, 0.3, 0.1])
    orders = [np.array([2, *tied, 4]) for tied in itertools.permutations([0, 1, 3])]
    expected = np.mean([area(y, order) for order in orders]) / area(y, np.argsort(-y))
    assert gini(torch.tensor(y), torch.tensor(p)) == pytest.approx(expected, abs=1e-12)


def test_of_two_classes_it_is_twice_the_auc_less_one() -> None:
    generator = torch.Generator().manual_seed(2)
    predictions = torch.rand(3000, generator=generator).mul(20).round()
    targets = (torch.rand(3000, generator=generator) < predictions / 30).double()
    weights = torch.rand(3000, generator=generator)
    assert gini(targets, predictions, weights) == pytest.approx(2 * auc(targets, predictions, weights) - 1, abs=1e-12)


def test_bounds() -> None:
    targets, _ = sample()
    assert gini(targets, targets * 3 + 1) == pytest.approx(1.0, abs=1e-12)
    assert gini(targets, -targets) == pytest.approx(-1.0, abs=1e-12)
    assert gini(targets, torch.ones(2000)) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_the_unit_of_the_targets_does_not_matter(unit: float) -> None:
    targets, predictions = sample()
    assert gini(targets * unit, predictions) == pytest.approx(gini(targets, predictions), abs=1e-12)


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_constant_targets_are_undefined(rows: int) -> None:
    assert gini(torch.full((rows,), 0.1), torch.rand(rows)) is None
