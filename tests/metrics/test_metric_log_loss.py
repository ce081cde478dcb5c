from __future__ import annotations

import math

import numpy as np
import pytest
import sklearn.metrics
import torch

from gatewise.errors import ShapeError
from gatewise.metrics import log_loss


def sample(dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    predictions = torch.rand(5000, generator=generator, dtype=dtype)
    targets = (torch.rand(5000, generator=generator, dtype=dtype) < predictions).to(dtype)
    predictions[:20], predictions[20:40] = 0, 1
    return targets, predictions, torch.rand(5000, generator=generator, dtype=dtype)


@pytest.mark.parametrize("weighted", [False, True])
def test_equals_scikit_learn_in_float64(weighted: bool) -> None:
    targets, predictions, weights = sample(torch.float64)
    chosen = weights if weighted else None
    expected = sklearn.metrics.log_loss(targets.numpy(), predictions.numpy(), sample_weight=chosen)
    assert log_loss(targets, predictions, chosen) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_equals_scikit_learn_in_float32(weighted: bool) -> None:
    targets, predictions, weights = sample(torch.float32)
    chosen = weights.numpy() if weighted else None
    actual = log_loss(targets, predictions, weights if weighted else None)
    # scikit-learn takes float32 logarithms of float32 input: 1e-9 only after the same clipping in float64.
    directly = sklearn.metrics.log_loss(targets.numpy(), predictions.numpy(), sample_weight=chosen)
    assert actual == pytest.approx(directly, abs=1e-6)
    epsilon = float(np.finfo(np.float32).eps)
    clipped = predictions.numpy().astype(np.float64).clip(epsilon, 1 - epsilon)
    exact = sklearn.metrics.log_loss(targets.numpy(), clipped, sample_weight=chosen)
    assert actual == pytest.approx(exact, abs=1e-9)


def test_by_hand() -> None:
    targets, predictions = torch.tensor([1.0, 0.0]), torch.tensor([0.25, 0.5])
    assert log_loss(targets, predictions) == pytest.approx((math.log(4) + math.log(2)) / 2, abs=1e-12)
    weights = torch.tensor([3.0, 1.0])
    assert log_loss(targets, predictions, weights) == pytest.approx((3 * math.log(4) + math.log(2)) / 4, abs=1e-12)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_certain_and_wrong_costs_the_logarithm_of_epsilon(dtype: torch.dtype) -> None:
    cost = -math.log(torch.finfo(dtype).eps)
    zero, one = torch.zeros(1, dtype=dtype), torch.ones(1, dtype=dtype)
    assert log_loss(one, zero) == pytest.approx(cost, rel=1e-12)
    assert log_loss(zero, one) == pytest.approx(cost, rel=1e-12)


def test_integer_predictions_clip_as_float64() -> None:
    cost = -math.log(torch.finfo(torch.float64).eps)
    assert log_loss(torch.tensor([1]), torch.tensor([0])) == pytest.approx(cost, rel=1e-12)


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_one_class_is_defined(target: float) -> None:
    predictions = torch.tensor([0.5, 0.5])
    assert log_loss(torch.full((2,), target), predictions) == pytest.approx(math.log(2), abs=1e-12)


def test_no_rows_is_undefined() -> None:
    assert log_loss(torch.tensor([]), torch.tensor([])) is None
    assert log_loss(torch.tensor([1.0]), torch.tensor([0.5]), torch.tensor([0.0])) is None


@pytest.mark.parametrize("wrong", [-0.5, 1.5, float("inf")])
def test_logits_are_refused(wrong: float) -> None:
    with pytest.raises(ShapeError, match=f"log_loss: expected predictions from 0 to 1, found {wrong:g}"):
        log_loss(torch.tensor([1.0, 0.0]), torch.tensor([0.5, wrong]))


def test_a_million_rows() -> None:
    generator = torch.Generator().manual_seed(4)
    predictions = torch.rand(1_000_000, generator=generator)
    targets = (torch.rand(1_000_000, generator=generator) < predictions).float()
    # The mean binary entropy of a uniform probability is 1/2 nat.
    assert log_loss(targets, predictions) == pytest.approx(0.5, abs=2e-3)
