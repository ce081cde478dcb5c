"""Platt's calibration beside scikit-learn's logistic regression, and where there is little to learn from."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from gatewise.calibration import Platt
from gatewise.errors import ShapeError
from gatewise.metrics import auc, ece

F64 = torch.float64


def simulated(rows: int, *, slope: float = 2.5, shift: float = 1.5, bias: float = -2.0, seed: int = 0):
    """Return what a miscalibrated model says, and labels."""
    generator = torch.Generator().manual_seed(seed)
    odds = torch.randn(rows, generator=generator, dtype=F64) * 1.2 + bias
    labels = (torch.rand(rows, generator=generator, dtype=F64) < odds.sigmoid()).double()
    return (slope * odds + shift).sigmoid(), labels


def scikit_learns(predictions: torch.Tensor, labels: torch.Tensor) -> tuple[float, float]:
    """Return slope and intercept of a logistic regression on both labels of every row, weighted by smoothed targets."""
    ones = labels.sum().item()
    zeros = len(labels) - ones
    target = np.where(labels == 1, (ones + 1) / (ones + 2), 1 / (zeros + 2))
    odds = predictions.logit().numpy()[:, None]
    fitted = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000, solver="newton-cholesky").fit(
        np.concatenate([odds, odds]),
        np.repeat([1, 0], len(labels)),
        sample_weight=np.concatenate([target, 1 - target]),
    )
    return fitted.coef_.item(), fitted.intercept_.item()


@pytest.mark.parametrize("case", [{}, {"bias": -6.0}, {"slope": 0.1, "shift": -4.0}, {"slope": 0.02}, {"seed": 5}])
@pytest.mark.parametrize("rows", [300, 30_000])
def test_it_is_scikit_learns(case, rows):
    predictions, labels = simulated(rows, **case)
    if not labels.sum():
        pytest.skip("no row of the rare class")
    platt = Platt().fit(predictions, labels)
    assert (platt.slope, platt.intercept) == pytest.approx(scikit_learns(predictions, labels), rel=1e-6, abs=1e-6)


def test_it_brings_the_calibration_error_of_new_rows_near_zero_and_keeps_the_order():
    predictions, labels = simulated(400_000)
    learn, judge = slice(0, 200_000), slice(200_000, None)
    calibrated = Platt().fit(predictions[learn], labels[learn])(predictions[judge])
    assert ece(labels[judge], predictions[judge]) > 0.08
    assert ece(labels[judge], calibrated) < 0.005
    assert auc(labels[judge], calibrated) == auc(labels[judge], predictions[judge])


def test_as_it_stands_it_changes_nothing():
    probabilities = torch.rand(100, dtype=F64)
    torch.testing.assert_close(Platt()(probabilities), probabilities)


@pytest.mark.parametrize("rows", [2, 10])
def test_classes_that_the_predictions_part_leave_it_finite(rows):
    predictions = torch.linspace(0.01, 0.99, rows, dtype=F64)
    platt = Platt().fit(predictions, (predictions > 0.5).double())
    assert 0 < platt.slope < 10
    assert 0 < platt(torch.tensor([0.0, 1.0])).min() < platt(torch.tensor([0.0, 1.0])).max() < 1


def test_probabilities_of_0_and_1_stay_in_bounds():
    platt = Platt().fit(torch.tensor([0.0, 1.0, 0.0, 1.0, 1.0]), torch.tensor([0, 1, 1, 1, 0]))
    assert platt(torch.tensor([0.0, 0.5, 1.0])).isfinite().all()


def test_equal_predictions_get_the_smoothed_base_rate_and_keep_the_slope():
    labels = (torch.arange(1000) % 5 == 0).double()
    platt = Platt().fit(torch.full((1000,), 0.7, dtype=F64), labels)
    smoothed = 0.2 * 201 / 202 + 0.8 / 802
    assert platt.slope == pytest.approx(1)
    assert platt(torch.tensor([0.7], dtype=F64)).item() == pytest.approx(smoothed)


def test_predictions_in_the_wrong_order_are_not_turned_around():
    predictions = torch.linspace(0.1, 0.9, 100, dtype=F64)
    platt = Platt().fit(predictions, (torch.arange(100) < 30).double())
    assert platt.slope == 0
    assert platt(predictions).unique().tolist() == pytest.approx([0.3 * 31 / 32 + 0.7 / 72])


@pytest.mark.parametrize(("slope", "intercept"), [(-1.0, 0.0), (float("nan"), 0.0), (1.0, float("inf"))])
def test_parameters_that_are_no_calibration_are_refused(slope, intercept):
    with pytest.raises(ShapeError, match="platt: expected a finite slope"):
        Platt(slope, intercept)
