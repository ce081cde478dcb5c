from __future__ import annotations

import pytest
import torch
from sklearn.metrics import brier_score_loss

from gatewise.metrics import brier


@pytest.mark.parametrize("weighted", [False, True])
def test_equals_scikit_learn(weighted: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    predictions = torch.rand(5000, generator=generator, dtype=torch.float64)
    targets = (torch.rand(5000, generator=generator, dtype=torch.float64) < predictions).double()
    weights = torch.rand(5000, generator=generator, dtype=torch.float64) if weighted else None
    expected = brier_score_loss(targets, predictions, sample_weight=weights)
    assert brier(targets, predictions, weights) == pytest.approx(expected, abs=1e-12)


def test_by_hand() -> None:
    targets, predictions = torch.tensor([1, 0]), torch.tensor([0.5, 0.25])
    assert brier(targets, predictions) == (0.25 + 0.0625) / 2
    assert brier(targets, predictions, torch.tensor([1, 3])) == (0.25 + 3 * 0.0625) / 4
    assert brier(torch.tensor([1]), torch.tensor([0.5])) == 0.25
