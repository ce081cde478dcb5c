from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from gatewise.metrics import auc, gini, spearman


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("levels", [None, 10, 2])
def test_spearman_equals_scipy(dtype: torch.dtype, levels: int | None) -> None:
    generator = torch.Generator().manual_seed(1)
    targets = torch.randn(5000, generator=generator, dtype=dtype)
    predictions = targets + torch.randn(5000, generator=generator, dtype=dtype)
    if levels is not None:
        targets, predictions = (targets * levels / 4).round(), (predictions * levels / 4).round()
    assert spearman(targets, predictions) == pytest.approx(spearmanr(targets, predictions).statistic, abs=1e-9)


@given(rows=st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=20))
@settings(max_examples=200, deadline=None)
def test_spearman_is_the_correlation_of_average_ranks(rows: list[tuple[int, int]]) -> None:
    targets, predictions = torch.tensor(rows).unbind(1)
    found = spearman(targets, predictions)
    if targets.unique().numel() < 2 or predictions.unique().numel() < 2:
        assert found is None
    else:
        assert found == pytest.approx(np.corrcoef(rankdata(targets), rankdata(predictions))[0, 1], abs=1e-12)


def test_spearman_the_same_order_is_one_and_the_reverse_minus_one() -> None:
    targets = torch.randn(1000, generator=torch.Generator().manual_seed(1))
    assert spearman(targets, targets.exp()) == pytest.approx(1.0, abs=1e-15)
    assert spearman(targets, -targets) == pytest.approx(-1.0, abs=1e-15)


def test_spearman_infinite_scores_have_ranks() -> None:
    assert spearman(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([-float("inf"), 0.0, float("inf")])) == pytest.approx(1)


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_spearman_all_tied_is_undefined(rows: int) -> None:
    assert spearman(torch.full((rows,), 0.1), torch.rand(rows)) is None
    assert spearman(torch.rand(rows), torch.full((rows,), 0.1)) is None


def test_spearman_extreme_weights_stay_exact() -> None:
    targets, predictions = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.1, 0.9, 0.4])
    for size in (1e-300, 1e300):
        weights = torch.full((3,), size, dtype=torch.float64)
        assert spearman(targets, predictions, weights) == pytest.approx(0.5, abs=1e-12)


def area(targets: np.ndarray, order: np.ndarray) -> float:
    """What lies between the Lorenz curve of the targets, drawn in an order, and the diagonal."""
    curve = np.concatenate([[0.0], targets[order].cumsum() / targets.sum()])
    return float((curve[1:] + curve[:-1]).mean() / 2 - 0.5)


def sample(rows: int = 2000) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    predictions = torch.rand(rows, generator=generator, dtype=torch.float64)
    values = torch.randn(rows, generator=generator, dtype=torch.float64).exp() * predictions
    return torch.where(torch.rand(rows, generator=generator) < 0.5, values, 0.0), predictions


def test_gini_is_the_ratio_of_areas() -> None:
    targets, predictions = sample()
    y = targets.numpy()
    expected = area(y, np.argsort(-predictions.numpy())) / area(y, np.argsort(-y))
    assert gini(targets, predictions) == pytest.approx(expected, abs=1e-12)


def test_gini_ties_are_the_mean_over_their_orders() -> None:
    y, p = np.array([5.0, 1.0, 0.0, 2.0, 7.0]), np.array([0.3, 0.3, 0.9, 0.3, 0.1])
    orders = [np.array([2, *tied, 4]) for tied in itertools.permutations([0, 1, 3])]
    expected = np.mean([area(y, order) for order in orders]) / area(y, np.argsort(-y))
    assert gini(torch.tensor(y), torch.tensor(p)) == pytest.approx(expected, abs=1e-12)


def test_gini_of_two_classes_it_is_twice_the_auc_less_one() -> None:
    generator = torch.Generator().manual_seed(2)
    predictions = torch.rand(3000, generator=generator).mul(20).round()
    targets = (torch.rand(3000, generator=generator) < predictions / 30).double()
    weights = torch.rand(3000, generator=generator)
    assert gini(targets, predictions, weights) == pytest.approx(2 * auc(targets, predictions, weights) - 1, abs=1e-12)


def test_gini_bounds() -> None:
    targets, _ = sample()
    assert gini(targets, targets * 3 + 1) == pytest.approx(1.0, abs=1e-12)
    assert gini(targets, -targets) == pytest.approx(-1.0, abs=1e-12)
    assert gini(targets, torch.ones(2000)) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_gini_the_unit_of_the_targets_does_not_matter(unit: float) -> None:
    targets, predictions = sample()
    assert gini(targets * unit, predictions) == pytest.approx(gini(targets, predictions), abs=1e-12)


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_gini_constant_targets_are_undefined(rows: int) -> None:
    assert gini(torch.full((rows,), 0.1), torch.rand(rows)) is None
