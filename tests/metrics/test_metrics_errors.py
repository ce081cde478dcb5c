from __future__ import annotations

import math

import pytest
import torch
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, r2_score, root_mean_squared_error

from gatewise.errors import ShapeError
from gatewise.metrics import mae, pinball, r2, rmse


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_rmse_equals_scikit_learn(dtype: torch.dtype, rounded: bool, weighted: bool) -> None:
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


def test_rmse_by_hand() -> None:
    targets, predictions = torch.tensor([3.0, 5.0, 0.0]), torch.tensor([3.0, 1.0, 1.0])
    assert rmse(targets, predictions) == pytest.approx(math.sqrt((0 + 16 + 1) / 3), abs=1e-12)
    weights = torch.tensor([1.0, 2.0, 3.0])
    assert rmse(targets, predictions, weights) == pytest.approx(math.sqrt((0 + 2 * 16 + 3 * 1) / 6), abs=1e-12)


def test_rmse_a_perfect_prediction_of_constant_targets_is_zero() -> None:
    targets = torch.full((5,), 0.1)
    assert rmse(targets, targets) == 0.0


def test_rmse_one_row_is_enough_and_no_rows_are_not() -> None:
    assert rmse(torch.tensor([1.0]), torch.tensor([3.0])) == 2.0
    assert rmse(torch.tensor([]), torch.tensor([])) is None
    assert rmse(torch.tensor([1.0]), torch.tensor([3.0]), torch.tensor([0.0])) is None


def test_rmse_float32_errors_are_taken_in_float64() -> None:
    targets, predictions = torch.tensor([16777216.0, 0.1]), torch.tensor([16777214.0, 0.1])
    assert rmse(targets, predictions) == pytest.approx(math.sqrt(2), abs=1e-12)


def test_rmse_an_error_beyond_float64_is_undefined() -> None:
    targets = torch.tensor([1e200, 1e200], dtype=torch.float64)
    assert rmse(targets, -targets) is None


def test_rmse_a_million_rows() -> None:
    targets = torch.arange(1_000_000, dtype=torch.float32)
    assert rmse(targets, targets + 0.5) == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_mae_equals_scikit_learn(dtype: torch.dtype, rounded: bool, weighted: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    targets = torch.randn(5000, generator=generator, dtype=dtype) * 3 + 1
    predictions = targets + torch.randn(5000, generator=generator, dtype=dtype)
    if rounded:
        targets, predictions = targets.round(), predictions.round()
    weights = torch.rand(5000, generator=generator, dtype=dtype) if weighted else None
    expected = mean_absolute_error(
        targets.double(), predictions.double(), sample_weight=None if weights is None else weights.double()
    )
    assert mae(targets, predictions, weights) == pytest.approx(expected, abs=1e-9)


def test_mae_by_hand() -> None:
    targets, predictions = torch.tensor([3.0, 5.0, 0.0]), torch.tensor([3.0, 1.0, 1.0])
    assert mae(targets, predictions) == pytest.approx(5 / 3, abs=1e-12)
    weights = torch.tensor([1.0, 2.0, 3.0])
    assert mae(targets, predictions, weights) == pytest.approx((2 * 4 + 3 * 1) / 6, abs=1e-12)


def test_mae_a_perfect_prediction_of_constant_targets_is_zero() -> None:
    targets = torch.full((5,), 0.1)
    assert mae(targets, targets) == 0.0


def test_mae_one_row_is_enough_and_no_rows_are_not() -> None:
    assert mae(torch.tensor([1.0]), torch.tensor([3.0])) == 2.0
    assert mae(torch.tensor([]), torch.tensor([])) is None
    assert mae(torch.tensor([1.0]), torch.tensor([3.0]), torch.tensor([0.0])) is None


def test_mae_float32_errors_are_taken_in_float64() -> None:
    targets, predictions = torch.tensor([16777216.0, 0.1]), torch.tensor([16777214.0, 0.1])
    assert mae(targets, predictions) == pytest.approx(1.0, abs=1e-12)


def test_mae_an_error_beyond_float64_is_undefined() -> None:
    targets = torch.tensor([1e308, 1e308], dtype=torch.float64)
    assert mae(targets, -targets) is None


def test_mae_a_million_rows() -> None:
    targets = torch.arange(1_000_000, dtype=torch.float32)
    assert mae(targets, targets + 0.5) == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_r2_equals_scikit_learn(dtype: torch.dtype, rounded: bool, weighted: bool) -> None:
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


def test_r2_by_hand() -> None:
    targets = torch.tensor([1.0, 2.0, 3.0])
    assert r2(targets, torch.tensor([1.0, 2.0, 4.0])) == pytest.approx(0.5, abs=1e-12)
    assert r2(targets, targets) == 1.0
    assert r2(targets, torch.full((3,), 2.0)) == pytest.approx(0.0, abs=1e-12)
    assert r2(targets, torch.tensor([3.0, 2.0, 1.0])) == pytest.approx(-3.0, abs=1e-12)


def test_r2_weights_by_hand() -> None:
    targets, predictions = torch.tensor([0.0, 4.0]), torch.tensor([1.0, 4.0])
    # Mean 3, total 1 * 9 + 3 * 1 = 12, unexplained 1.
    assert r2(targets, predictions, torch.tensor([1.0, 3.0])) == pytest.approx(11 / 12, abs=1e-12)


@pytest.mark.parametrize("rows", [2, 3, 10, 1001])
def test_r2_constant_targets_are_undefined_even_when_predicted(rows: int) -> None:
    targets = torch.full((rows,), 0.1, dtype=torch.float64)
    assert r2(targets, targets) is None
    assert r2(targets, torch.rand(rows)) is None
    assert r2(targets, targets, torch.rand(rows) + 0.5) is None


@pytest.mark.parametrize("rows", [0, 1])
def test_r2_fewer_than_two_rows_are_undefined(rows: int) -> None:
    assert r2(torch.ones(rows), torch.ones(rows)) is None


def test_r2_rows_of_zero_weight_do_not_vary_the_targets() -> None:
    targets, predictions = torch.tensor([1.0, 2.0, 1.0]), torch.rand(3)
    assert r2(targets, predictions, torch.tensor([1.0, 0.0, 1.0])) is None
    assert r2(targets, predictions, torch.tensor([1.0, 0.0, 0.0])) is None


@pytest.mark.parametrize("unit", [1e-200, 1e-3, 1e200])
def test_r2_the_unit_of_the_targets_does_not_matter(unit: float) -> None:
    targets = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64) * unit
    predictions = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64) * unit
    assert r2(targets, predictions) == pytest.approx(0.5, abs=1e-12)


def test_r2_beyond_float64_is_undefined() -> None:
    targets = torch.tensor([0.0, 1.0], dtype=torch.float64)
    assert r2(targets, targets * 1e200) is None


def test_r2_a_million_rows() -> None:
    targets = torch.arange(1_000_000, dtype=torch.float64)
    assert r2(targets, targets.flip(0)) == pytest.approx(-3.0, abs=1e-9)


def sample() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    targets, predictions = torch.randn(2, 5000, generator=generator, dtype=torch.float64)
    return targets, predictions, torch.rand(5000, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("quantile", [0, 0.1, 0.5, 0.9, 1])
@pytest.mark.parametrize("weighted", [False, True])
def test_pinball_equals_scikit_learn(quantile: float, weighted: bool) -> None:
    targets, predictions, weights = sample()
    chosen = weights if weighted else None
    expected = mean_pinball_loss(targets, predictions, sample_weight=chosen, alpha=quantile)
    assert pinball(targets, predictions, chosen, quantile=quantile) == pytest.approx(expected, abs=1e-12)


def test_pinball_the_quantile_is_best() -> None:
    targets, _, _ = sample()
    losses = {q: pinball(targets, targets.quantile(q).expand(5000), quantile=0.9) for q in (0.8, 0.85, 0.9, 0.95)}
    assert min(losses, key=losses.get) == 0.9


def test_pinball_the_median_is_half_of_the_absolute_error() -> None:
    targets, predictions, weights = sample()
    assert pinball(targets, predictions, weights) == pytest.approx(mae(targets, predictions, weights) / 2, abs=1e-12)


@pytest.mark.parametrize("quantile", [-0.1, 1.1, float("nan")])
def test_pinball_refuses_other_quantiles(quantile: float) -> None:
    with pytest.raises(ShapeError, match=f"^pinball: expected quantile from 0 to 1, found {quantile}$"):
        pinball(torch.ones(2), torch.ones(2), quantile=quantile)
