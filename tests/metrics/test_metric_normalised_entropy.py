from __future__ import annotations

import math

import numpy as np
import pytest
import sklearn.metrics
import torch

from gatewise.metrics import normalised_entropy


def entropy(rate: float) -> float:
    return -rate * math.log(rate) - (1 - rate) * math.log(1 - rate)


@pytest.mark.parametrize("weighted", [False, True])
def test_equals_scikit_learns_log_loss_by_that_of_the_base_rate(weighted: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    predictions = torch.rand(5000, generator=generator, dtype=torch.float64) / 10
    targets = (torch.rand(5000, generator=generator, dtype=torch.float64) < predictions).double()
    weights = torch.rand(5000, generator=generator, dtype=torch.float64) if weighted else None
    rate = float(np.average(targets, weights=weights))
    loss = sklearn.metrics.log_loss(targets, predictions, sample_weight=weights)
    assert normalised_entropy(targets, predictions, weights) == pytest.approx(loss / entropy(rate), abs=1e-9)


def test_the_base_rate_scores_one() -> None:
    targets = torch.tensor([1.0, 0.0, 0.0, 0.0])
    assert normalised_entropy(targets, torch.full((4,), 0.25)) == pytest.approx(1.0, abs=1e-12)
    weights = torch.tensor([9.0, 1.0, 1.0, 1.0])
    assert normalised_entropy(targets, torch.full((4,), 0.75), weights) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("targets", [[], [1.0], [0.0, 0.0], [1.0, 1.0]])
def test_one_class_or_no_rows_is_undefined(targets: list[float]) -> None:
    assert normalised_entropy(torch.tensor(targets), torch.full((len(targets),), 0.5)) is None
