from __future__ import annotations

import pytest
import torch
from sklearn.metrics import mean_pinball_loss

from gatewise.errors import ShapeError
from gatewise.metrics import mae, pinball


def sample() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    targets, predictions = torch.randn(2, 5000, generator=generator, dtype=torch.float64)
    return targets, predictions, torch.rand(5000, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("quantile", [0, 0.1, 0.5, 0.9, 1])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_scikit_learn(quantile: float, weighted: bool) -> None:
    targets, predictions, weights = sample()
    chosen = weights if weighted else None
    expected = mean_pinball_loss(targets, predictions, sample_weight=chosen, alpha=quantile)
    assert pinball(targets, predictions, chosen, quantile=quantile) == pytest.approx(expected, abs=1e-12)


def test_the_quantile_is_best() -> None:
    targets, _, _ = sample()
    losses = {q: pinball(targets, targets.quantile(q).expand(5000), quantile=0.9) for q in (0.8, 0.85, 0.9, 0.95)}
    assert min(losses, key=losses.get) == 0.9


def test_the_median_is_half_of_the_absolute_error() -> None:
    targets, predictions, weights = sample()
    assert pinball(targets, predictions, weights) == pytest.approx(mae(targets, predictions, weights) / 2, abs=1e-12)


@pytest.mark.parametrize("quantile", [-0.1, 1.1, float("nan")])
def test_refuses_other_quantiles(quantile: float) -> None:
    with pytest.raises(ShapeError, match=f"^pinball: expected quantile from 0 to 1, found {quantile}$"):
        pinball(torch.ones(2), torch.ones(2), quantile=quantile)
