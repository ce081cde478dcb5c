"""What was lost by leaving out negatives comes back."""

from __future__ import annotations

import pytest
import torch

from gatewise.calibration import DownSampling
from gatewise.errors import ShapeError
from gatewise.metrics import ece, pcoc

F64 = torch.float64


@pytest.mark.parametrize("rate", [0.02, 0.3])
def test_it_restores_the_base_rate(rate):
    generator = torch.Generator().manual_seed(0)
    value = torch.randint(0, 20, (1_000_000,), generator=generator)
    true = torch.linspace(-6, -1, 20, dtype=F64).sigmoid()[value]
    labels = (torch.rand(len(true), generator=generator, dtype=F64) < true).double()
    kept = (labels == 1) | (torch.rand(len(true), generator=generator) < rate)
    # the best model of the rows that were kept: each value's share of ones among them
    rows, ones = value[kept].bincount(), value[kept].bincount(labels[kept])
    predictions = (ones / rows)[value]
    calibrated = DownSampling(rate).fit(predictions, labels)(predictions)
    assert pcoc(labels, predictions) > 2
    assert pcoc(labels, calibrated) == pytest.approx(1, abs=0.02)
    assert ece(labels, calibrated) < 0.002


def test_a_rate_of_one_and_the_ends_change_nothing():
    probabilities = torch.tensor([0.0, 0.25, 1.0], dtype=F64)
    assert DownSampling(1.0)(probabilities).tolist() == [0.0, 0.25, 1.0]
    assert DownSampling(1e-6)(probabilities)[[0, 2]].tolist() == [0.0, 1.0]


@pytest.mark.parametrize("rate", [0.0, -1.0, 1.5, float("nan")])
def test_a_rate_that_is_none_is_refused(rate):
    with pytest.raises(ShapeError, match="down_sampling: expected a rate above 0 and at most 1"):
        DownSampling(rate)
