from __future__ import annotations

import pytest
import torch
from sklearn.metrics import r2_score

from gatewise.metrics import r2


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_scikit_learn(dtype: torch.dtype, rounded: bool, weighted: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    targets = torch.randn(5000, generator=generator, dtype=dtype) * 3 + 1
    predictions = targets + torch.randn(5000, generator=generator, dtype=dtype)
    if rounded:
        targets, predictions = targets.round(), predictions.round()
    weights = torch.rand(5000, generator=generator, dtype=dtype) if weighted else None
    expected = r2_score(
        targets.double(), predictions.double(), sample_weight=None if weights is None else weights.double()
    )
    assert r2(targets, predictions, weights) == pytest.approx(expected, abs=1e-9)


def test_by_hand() -> None:
    targets = torch.tensor([1.0, 2.0, 3.0])
    assert r2(targets, torch.tensor([1.0, 2.0, 4.0])) == pytest.approx(0.5, abs=1e-12)
    assert r2(targets, targets) == 1.0
    assert r2(targets, torch.full((3,), 2.0)) == pytest.approx(0.0, abs=1e-12)
    assert r2(targets, torch.tensor([3.0, 2.0, 1.0])) == pytest.approx(-3.0, abs=1e-12)


def test_weights_by_hand() -> None:
    targets, predictions = torch.tensor([0.0, 4.0]), torch.tensor([1.0, 4.0])
    # Mean 3, total 1 * 9 + 3 * 1 = 12, unexplained 1.
    assert r2(targets, predictions, torch.tensor([1.0, 3.0])) == pytest.approx(11 / 12, abs=1e-12)


@pytest.mark.parametrize("rows", [2, 3, 10, 1001])
def test_constant_targets_are_undefined_even_when_predicted(rows: int) -> None:
    targets = torch.full((rows,), 0.1, dtype=torch.float64)
    assert r2(targets, targets) is None
    assert r2(targets, torch.rand(rows)) is None
    assert r2(targets, targets, torch.rand(rows) + 0.5) is None


@pytest.mark.parametrize("rows", [0, 1])
def test_fewer_than_two_rows_are_undefined(rows: int) -> None:
    assert r2(torch.ones(rows), torch.ones(rows)) is None


def test_rows_of_zero_weight_do_not_vary_the_targets() -> None:
    targets, predictions = torch.tensor([1.0, 2.0, 1.0]), torch.rand(3)
    assert r2(targets, predictions, torch.tensor([1.0, 0.0, 1.0])) is None
    assert r2(targets, predictions, torch.tensor([1.0, 0.0, 0.0])) is None


@pytest.mark.parametrize("unit", [1e-200, 1e-3, 1e200])
def test_the_unit_of_the_targets_does_not_matter(unit: float) -> None:
    targets = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64) * unit
    predictions = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64) * unit
    assert r2(targets, predictions) == pytest.approx(0.5, abs=1e-12)


def test_beyond_float64_is_undefined() -> None:
    targets = torch.tensor([0.0, 1.0], dtype=torch.float64)
    assert r2(targets, targets * 1e200) is None


def test_a_million_rows() -> None:
    targets = torch.arange(1_000_000, dtype=torch.float64)
    assert r2(targets, targets.flip(0)) == pytest.approx(-3.0, abs=1e-9)
