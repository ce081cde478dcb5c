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
def test_its_blocks_are_those_of_scikit_learn(decimals):
    _, predictions, labels = simulated(20_000)
    predictions = predictions.round(decimals=decimals)
    reference = IsotonicRegression().fit(predictions.numpy(), labels.numpy())
    values, place, tied = torch.unique(predictions, return_inverse=True, return_counts=True)
    ones = torch.zeros_like(values).index_add_(0, place, labels)
    shares, lengths = pool_adjacent_violators(ones, tied.double())
    np.testing.assert_allclose(shares.repeat_interleave(lengths).numpy(), reference.predict(values.numpy()), atol=1e-9)


def test_it_is_near_scikit_learns_where_there_are_many_rows():
    _, predictions, labels = simulated(200_000)
    reference = IsotonicRegression(out_of_bounds="clip").fit(predictions.numpy(), labels.numpy())
    isotonic = Isotonic().fit(predictions, labels)
    assert np.abs(isotonic(predictions).numpy() - reference.predict(predictions.numpy())).mean() < 0.005


def test_it_brings_the_calibration_error_of_new_rows_near_zero_and_keeps_the_order():
    _, predictions, labels = simulated(400_000)
    learn, judge = slice(0, 200_000), slice(200_000, None)
    calibrated = Isotonic().fit(predictions[learn], labels[learn])(predictions[judge])
    assert ece(labels[judge], predictions[judge]) > 0.08
    assert ece(labels[judge], calibrated) < 0.005
    assert auc(labels[judge], calibrated) == pytest.approx(auc(labels[judge], predictions[judge]), abs=1e-9)


def test_five_hundred_candidates_keep_five_hundred_scores_and_their_order():
    _, predictions, labels = simulated(2_000)
    candidates = torch.linspace(0.001, 0.2, 500, dtype=F64)
    found = Isotonic().fit(predictions, labels)(candidates)
    assert len(found.unique()) == 500
    assert found.argsort().equal(candidates.argsort())


def test_nothing_is_sure():
    predictions = torch.linspace(0, 1, 1_000, dtype=F64)
    found = Isotonic().fit(predictions, (predictions > 0.5).double())(torch.tensor([0.0, 0.2, 0.8, 1.0], dtype=F64))
    assert 0 < found.min() < 0.01
    assert 0.99 < found.max() < 1


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2, max_size=40), st.lists(st.floats(0, 1)))
def test_the_order_is_never_turned_and_values_stay_probabilities(rows, fresh):
    predictions, labels = (torch.tensor(column, dtype=F64) for column in zip(*rows, strict=True))
    if not 0 < labels.sum() < len(labels):
        return
    isotonic = Isotonic().fit(predictions, labels)
    found = isotonic(torch.tensor(sorted([*fresh, *predictions.tolist()]), dtype=F64))
    assert (found.diff() >= 0).all()
    assert ((found > 0) & (found < 1)).all()


def test_the_mean_over_the_rows_that_it_learnt_from_is_nearly_theirs():
    off = []
    for seed in range(20):
        _, predictions, labels = simulated(500, seed)
        off.append((Isotonic().fit(predictions, labels)(predictions).mean() - labels.mean()).item())
    assert max(map(abs, off)) < 0.02
    assert abs(np.mean(off)) < 0.002


def test_as_it_stands_it_changes_nothing():
    probabilities = torch.rand(100, dtype=F64)
    assert torch.equal(Isotonic()(probabilities), probabilities)


def test_equal_predictions_all_get_nearly_the_base_rate():
    isotonic = Isotonic().fit(torch.full((1000,), 0.7), torch.tensor([1, 0, 0, 0, 0] * 200))
    found = isotonic(torch.tensor([0.65, 0.7, 0.75]))
    assert found[1].item() == pytest.approx(0.2, abs=1e-3)
    assert found[0] < found[1] < found[2]


def test_predictions_in_the_wrong_order_keep_it_near_the_base_rate():
    predictions = torch.linspace(0, 1, 1_000, dtype=F64)
    found = Isotonic().fit(predictions, (predictions < 0.5).double())(predictions)
    assert (found.diff() > 0).all()
    torch.testing.assert_close(found, torch.full_like(found, 0.5), rtol=0, atol=0.011)


def test_a_calibration_of_an_earlier_version_is_what_it_was():
    steps = Isotonic(inputs=[0.1, 0.5], outputs=[0.0, 1.0])
    assert steps(torch.tensor([0.05, 0.3, 0.6], dtype=F64)).tolist() == pytest.approx([0.0, 0.5, 1.0])


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


def test_a_share_that_is_none_is_refused():
    with pytest.raises(ShapeError, match="expected a share from 0 to 1, found 2"):
        Isotonic(share=2.0)
