from __future__ import annotations

import functools

import numpy as np
import pytest
import torch
from scipy.stats import bootstrap, norm

from gatewise.errors import ShapeError
from gatewise.metrics import (
    Interval,
    accuracy,
    auc,
    bootstrap_difference,
    bootstrap_interval,
    bootstrap_mean_difference,
    gauc,
    mae,
    ndcg_at_k,
    r2,
    spearman,
)


def clicks(rows: int = 2000) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    predictions = torch.rand(rows, generator=generator)
    return (torch.rand(rows, generator=generator) < predictions).float(), predictions


def test_of_a_mean_it_is_scipys_and_the_normal_one() -> None:
    errors = torch.rand(1000, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = bootstrap_interval(mae, torch.zeros(1000), errors, samples=4000)
    theirs = bootstrap([errors.numpy()], np.mean, n_resamples=4000, method="percentile", rng=0).confidence_interval
    width = float(errors.std() / 1000**0.5)
    assert found[:2] == pytest.approx([theirs.low, theirs.high], abs=width / 5)
    assert found[:2] == pytest.approx(
        [float(errors.mean()) + z * width for z in norm.ppf([0.025, 0.975])], abs=width / 5
    )
    assert found[2:] == (0.95, 4000, 0)


@pytest.mark.parametrize("metric", [auc, r2, spearman])
def test_resamples_are_the_rows_themselves_drawn_with_replacement(metric) -> None:
    targets, predictions = clicks(300)
    generator = torch.Generator().manual_seed(5)
    values = []
    for _ in range(50):
        rows = torch.randint(300, (300,), generator=generator)
        values.append(metric(targets[rows], predictions[rows]))
    found = bootstrap_interval(metric, targets, predictions, samples=50, level=0.8, seed=5)
    assert found[:2] == pytest.approx(np.quantile(values, [0.1, 0.9]).tolist(), abs=1e-12)


@pytest.mark.parametrize("metric", [gauc, functools.partial(ndcg_at_k, k=3)])
def test_whole_groups_are_drawn(metric) -> None:
    targets, predictions = clicks(300)
    users = torch.randint(0, 60, (300,), generator=torch.Generator().manual_seed(2)) * 7 - 100
    names = users.unique()
    generator = torch.Generator().manual_seed(5)
    values = []
    for _ in range(50):
        drawn = torch.randint(len(names), (len(names),), generator=generator)
        rows = [(users == names[unit]).nonzero()[:, 0] for unit in drawn]
        ids = torch.arange(len(drawn)).repeat_interleave(torch.tensor([len(one) for one in rows]))
        values.append(metric(targets[torch.cat(rows)], predictions[torch.cat(rows)], ids).value)
    found = bootstrap_interval(metric, targets, predictions, users, groups=users, samples=50, seed=5)
    assert found[:2] == pytest.approx(np.quantile(values, [0.025, 0.975]).tolist(), abs=1e-12)


def test_groups_widen_the_interval_of_rows_that_are_not_independent() -> None:
    errors = torch.rand(50, generator=torch.Generator().manual_seed(1)).repeat_interleave(40)
    users = torch.arange(50).repeat_interleave(40)
    rows = bootstrap_interval(mae, torch.zeros(2000), errors, samples=500)
    whole = bootstrap_interval(mae, torch.zeros(2000), errors, groups=users, samples=500)
    assert (whole.high - whole.low) / (rows.high - rows.low) == pytest.approx(40**0.5, rel=0.2)


def test_weights_of_the_rows_multiply_those_of_the_draws() -> None:
    targets, predictions = clicks(300)
    weights = torch.rand(300, generator=torch.Generator().manual_seed(2))
    generator = torch.Generator().manual_seed(5)
    values = []
    for _ in range(50):
        rows = torch.randint(300, (300,), generator=generator)
        values.append(auc(targets[rows], predictions[rows], weights[rows]))
    found = bootstrap_interval(auc, targets, predictions, weights=weights, samples=50, seed=5)
    assert found[:2] == pytest.approx(np.quantile(values, [0.025, 0.975]).tolist(), abs=1e-12)


def test_the_seed_decides_the_draws() -> None:
    columns = clicks()
    first, again, other = (bootstrap_interval(auc, *columns, samples=100, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_higher_level_is_wider() -> None:
    columns = clicks()
    narrow, wide = (bootstrap_interval(auc, *columns, samples=200, level=level) for level in (0.5, 0.99))
    assert wide.low < narrow.low < auc(*columns) < narrow.high < wide.high


def test_undefined_resamples_are_counted_and_left_out() -> None:
    targets, predictions = torch.tensor([1.0, 0.0, 0.0]), torch.tensor([0.9, 0.1, 0.2])
    found = bootstrap_interval(auc, targets, predictions, samples=1000)
    # Without the positive (8 of 27) or with nothing else (1 of 27).
    assert found.undefined == pytest.approx(1000 / 3, abs=60)
    assert found[:2] == (1.0, 1.0)
    assert bootstrap_interval(auc, torch.zeros(3), predictions, samples=9) == Interval(None, None, 0.95, 9, 9)
    none = torch.tensor([])
    assert bootstrap_interval(auc, none, none, groups=none.long(), samples=9) == Interval(None, None, 0.95, 9, 9)


def test_classes_are_resampled_too() -> None:
    targets = torch.arange(400) % 4
    found = bootstrap_interval(accuracy, targets, torch.eye(4)[(targets + (torch.arange(400) < 100)) % 4], samples=500)
    assert found[:2] == pytest.approx([0.75 + z * (0.75 * 0.25 / 400) ** 0.5 for z in (-1.96, 1.96)], abs=0.01)


def test_a_difference_is_paired() -> None:
    targets, first = clicks()
    second = first + torch.randn(2000, generator=torch.Generator().manual_seed(3)) * 0.05
    generator = torch.Generator().manual_seed(5)
    values = []
    for _ in range(50):
        rows = torch.randint(2000, (2000,), generator=generator)
        values.append(auc(targets[rows], first[rows]) - auc(targets[rows], second[rows]))
    found = bootstrap_difference(auc, targets, first, second, samples=50, seed=5)
    assert found[:2] == pytest.approx(np.quantile(values, [0.025, 0.975]).tolist(), abs=1e-12)
    alone = bootstrap_interval(auc, targets, first, samples=50, seed=5)
    assert found.high - found.low < (alone.high - alone.low) / 3


def test_a_difference_within_groups() -> None:
    targets, first = clicks()
    users = torch.arange(2000) % 100
    same = bootstrap_difference(gauc, targets, first, first * 2, users, groups=users, samples=20)
    assert same == Interval(0.0, 0.0, 0.95, 20, 0)
    worse = bootstrap_difference(gauc, targets, first, -first, users, groups=users, samples=20)
    assert worse.low > 0.3


def test_a_difference_of_an_undefined_metric_is_undefined() -> None:
    found = bootstrap_difference(r2, torch.ones(3), torch.rand(3), torch.rand(3), samples=4)
    assert found == Interval(None, None, 0.95, 4, 4)


def test_refusals() -> None:
    targets, predictions = clicks(3)
    with pytest.raises(
        ShapeError, match=r"^bootstrap_interval: expected samples to be a positive whole number, found 0$"
    ):
        bootstrap_interval(auc, targets, predictions, samples=0)
    with pytest.raises(ShapeError, match=r"^bootstrap_interval: expected level between 0 and 1, found 95$"):
        bootstrap_interval(auc, targets, predictions, level=95)
    shapes = r"expected columns of equal length, found \(3,\), \(2,\)$"
    with pytest.raises(ShapeError, match=r"^bootstrap_interval: " + shapes):
        bootstrap_interval(auc, targets, predictions[:2])
    with pytest.raises(ShapeError, match=r"^bootstrap_difference: .*, found \(3,\), \(3,\), \(2,\)$"):
        bootstrap_difference(auc, targets, predictions, predictions[:2])
    with pytest.raises(ShapeError, match=r"^bootstrap_interval: expected columns of equal length, found none$"):
        bootstrap_interval(auc)
    with pytest.raises(ShapeError, match=r"^auc: expected targets of 0 and 1, found 7$"):
        bootstrap_interval(auc, targets + 7 - targets, predictions)


def test_a_refusal_names_the_function_that_was_called() -> None:
    ones = torch.ones(3)
    with pytest.raises(ShapeError, match=r"^bootstrap_difference: "):
        bootstrap_difference(mae, ones, ones, ones, samples=0)
    with pytest.raises(ShapeError, match=r"^bootstrap_mean_difference: "):
        bootstrap_mean_difference(mae, ones, [ones], [ones], samples=0)
