from __future__ import annotations

import math

import pytest
import torch
from sklearn.metrics import root_mean_squared_error

from gatewise.metrics import rmse


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
    expected = root_mean_squared_error(
        targets.double(), predictions.double(), sample_weight=None if weights is None else weights.double()
    )
    assert rmse(targets, predictions, weights) == pytest.approx(expected, abs=1e-9)


def test_by_hand() -> None:
    targets, predictions = torch.tensor([3.0, 5.0, 0.0]), torch.tensor([3.0, 1.0, 1.0])
    assert rmse(targets, predictions) == pytest.approx(math.sqrt((0 + 16 + 1) / 3), abs=1e-12)
    weights = torch.tensor([1.0, 2.0, 3.0])
    assert rmse(targets, predictions, weights) == pytest.approx(math.sqrt((0 + 2 * 16 + 3 * 1) / 6), abs=1e-12)


def test_a_perfect_prediction_of_constant_targets_is_zero() -> None:
    targets = torch.full((5,), 0.1)
    assert rmse(targets, targets) == 0.0


def test_one_row_is_enough_and_no_rows_are_not() -> None:
    assert rmse(torch.tensor([1.0]), torch.tensor([3.0])) == 2.0
    assert rmse(torch.tensor([]), torch.tensor([])) is None
    assert rmse(torch.tensor([1.0]), torch.tensor([3.0]), torch.tensor([0.0])) is None


def test_float32_errors_are_taken_in_float64() -> None:
    targets, predictions = torch.tensor([16777216.0, 0.1]), torch.tensor([16777214.0, 0.1])
    assert rmse(targets, predictions) == pytest.approx(math.sqrt(2), abs=1e-12)


def test_an_error_beyond_float64_is_undefined() -> None:
    targets = torch.tensor([1e200, 1e200], dtype=torch.float64)
    assert rmse(targets, -targets) is None


def test_a_million_rows() -> None:
    targets = torch.arange(1_000_000, dtype=torch.float32)
    assert rmse(targets, targets + 0.5) == pytest.approx(0.5, abs=1e-9)
