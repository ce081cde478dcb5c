"""Isotonic calibration beside scikit-learn's, and its order."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from gatewise.calibration import Isotonic
from gatewise.calibration.isotonic import pool_adjacent_violators
from gatewise.errors import ShapeError
from gatewise.metrics import auc, ece

F64 = torch.float64


def simulated(rows: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return true probabilities, what an overconfident and biased model says of them, and labels."""
    generator = torch.Generator().manual_seed(seed)
    odds = torch.randn(rows, generator=generator, dtype=F64) * 1.2 - 2
    labels = (torch.rand(rows, generator=generator, dtype=F64) < odds.sigmoid()).double()
    return odds.sigmoid(), (2.5 * odds + 1.5).sigmoid(), labels


@pytest.mark.parametrize("decimals", [1, 2, 16])
def test_it_is_scikit_learns_on_old_rows_and_new_ones(decimals):
    _, predictions, labels = simulated(20_000)
    predictions = predictions.round(decimals=decimals)
    reference = IsotonicRegression(out_of_bounds="clip").fit(predictions.numpy(), labels.numpy())
    isotonic = Isotonic().fit(predictions, labels)
    fresh = torch.rand(5000, generator=torch.Generator().manual_seed(3), dtype=F64)
    for rows in (predictions, fresh, torch.tensor([0.0, 1.0], dtype=F64)):
        np.testing.assert_allclose(isotonic(rows).numpy(), reference.predict(rows.numpy()), atol=1e-9)


def test_it_brings_the_calibration_error_of_new_rows_near_zero_and_keeps_the_order_up_to_ties():
    _, predictions, labels = simulated(400_000)
    learn, judge = slice(0, 200_000), slice(200_000, None)
    calibrated = Isotonic().fit(predictions[learn], labels[learn])(predictions[judge])
    assert ece(labels[judge], predictions[judge]) > 0.08
    assert ece(labels[judge], calibrated) < 0.005
    assert auc(labels[judge], calibrated) == pytest.approx(auc(labels[judge], predictions[judge]), abs=1e-3)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=40), st.lists(st.floats(0, 1)))
def test_the_order_is_never_turned_and_values_stay_probabilities(rows, fresh):
    predictions, labels = (torch.tensor(column, dtype=F64) for column in zip(*rows, strict=True))
    if not 0 < labels.sum() < len(labels):
        return
    isotonic = Isotonic().fit(predictions, labels)
    found = isotonic(torch.tensor(sorted([*fresh, *predictions.tolist()]), dtype=F64))
    assert (found.diff() >= 0).all()
    assert ((found >= 0) & (found <= 1)).all()
    # the mean over the rows that it learnt from is theirs
    assert isotonic(predictions).mean().item() == pytest.approx(labels.mean().item(), abs=1e-12)


def test_as_it_stands_it_changes_nothing():
    probabilities = torch.rand(100, dtype=F64)
    assert torch.equal(Isotonic()(probabilities), probabilities)


def test_equal_predictions_all_get_the_base_rate():
    isotonic = Isotonic().fit(torch.full((10,), 0.7), torch.tensor([1, 0, 0, 0, 0] * 2))
    assert isotonic(torch.tensor([0.0, 0.7, 1.0])).tolist() == [0.2, 0.2, 0.2]


def test_predictions_in_the_wrong_order_all_get_the_base_rate():
    predictions = torch.linspace(0, 1, 50)
    isotonic = Isotonic().fit(predictions, (predictions < 0.5).double())
    assert isotonic(predictions).tolist() == [0.5] * 50


def test_the_slowest_case_takes_a_time_that_grows_with_the_rows():
    # each value joins all before it, one at a time: quadratic where each round goes over all rows
    rows = 300_000
    sums = torch.cat([torch.arange(rows - 1, dtype=F64), torch.tensor([-1e6 * rows], dtype=F64)])
    start = time.perf_counter()
    means, lengths = pool_adjacent_violators(sums, torch.ones(rows, dtype=F64))
    assert time.perf_counter() - start < 10
    assert lengths.tolist() == [rows]
    assert means.item() == pytest.approx(sums.mean().item())


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [([], []), ([0.0], [0.0, 1.0]), ([1.0, 0.0], [0.0, 1.0]), ([0.0, 1.0], [1.0, 0.0]), ([0.0, 1.0], [0.0, 1.5])],
)
def test_knots_that_are_no_calibration_are_refused(inputs, outputs):
    with pytest.raises(ShapeError, match="isotonic: expected"):
        Isotonic(inputs, outputs)
