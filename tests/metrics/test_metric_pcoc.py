from __future__ import annotations

import numpy as np
import pytest
import torch

from gatewise.errors import ShapeError
from gatewise.metrics import pcoc


def test_by_hand() -> None:
    targets, predictions = torch.tensor([1.0, 0.0, 0.0, 1.0]), torch.tensor([0.5, 0.25, 0.25, 0.5])
    assert pcoc(targets, predictions) == 0.75
    assert pcoc(targets, predictions, torch.tensor([1.0, 4.0, 2.0, 0.0])) == 2.0


def test_a_calibrated_model_is_at_one() -> None:
    assert pcoc(torch.tensor([1, 0, 0, 0]), torch.full((4,), 0.25)) == 1.0


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_the_ratio_of_averages(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(1)
    targets = (torch.rand(5000, generator=generator) < 0.1).to(dtype)
    predictions = torch.rand(5000, generator=generator, dtype=dtype)
    weights = torch.rand(5000, generator=generator, dtype=dtype)
    t, p, w = (values.double().numpy() for values in (targets, predictions, weights))
    assert pcoc(targets, predictions) == pytest.approx(p.mean() / t.mean(), abs=1e-9)
    expected = np.average(p, weights=w) / np.average(t, weights=w)
    assert pcoc(targets, predictions, weights) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("targets", [[], [0.0], [0.0, 0.0]])
def test_nothing_observed_is_undefined(targets: list[float]) -> None:
    assert pcoc(torch.tensor(targets), torch.rand(len(targets))) is None


def test_logits_are_refused() -> None:
    with pytest.raises(ShapeError, match="pcoc: expected predictions from 0 to 1, found -2"):
        pcoc(torch.tensor([1.0]), torch.tensor([-2.0]))


def test_a_million_rows() -> None:
    targets = torch.arange(1_000_000) % 4 == 0
    assert pcoc(targets, torch.full((1_000_000,), 0.5)) == pytest.approx(2.0, abs=1e-12)
