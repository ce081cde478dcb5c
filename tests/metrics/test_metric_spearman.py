from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, spearmanr

from gatewise.metrics import spearman


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("levels", [None, 10, 2])
def test_equals_scipy(dtype: torch.dtype, levels: int | None) -> None:
    generator = torch.Generator().manual_seed(1)
    targets = torch.randn(5000, generator=generator, dtype=dtype)
    predictions = targets + torch.randn(5000, generator=generator, dtype=dtype)
    if levels is not None:
        targets, predictions = (targets * levels / 4).round(), (predictions * levels / 4).round()
    assert spearman(targets, predictions) == pytest.approx(spearmanr(targets, predictions).statistic, abs=1e-9)


@given(rows=st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=20))
@settings(max_examples=200, deadline=None)
def test_is_the_correlation_of_average_ranks(rows: list[tuple[int, int]]) -> None:
    targets, predictions = torch.tensor(rows).unbind(1)
    found = spearman(targets, predictions)
    if targets.unique().numel() < 2 or predictions.unique().numel() < 2:
        assert found is None
    else:
        assert found == pytest.approx(np.corrcoef(rankdata(targets), rankdata(predictions))[0, 1], abs=1e-12)


def test_the_same_order_is_one_and_the_reverse_minus_one() -> None:
    targets = torch.randn(1000, generator=torch.Generator().manual_seed(1))
    assert spearman(targets, targets.exp()) == pytest.approx(1.0, abs=1e-15)
    assert spearman(targets, -targets) == pytest.approx(-1.0, abs=1e-15)


def test_infinite_scores_have_ranks() -> None:
    assert spearman(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([-float("inf"), 0.0, float("inf")])) == pytest.approx(1)


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_all_tied_is_undefined(rows: int) -> None:
    assert spearman(torch.full((rows,), 0.1), torch.rand(rows)) is None
    assert spearman(torch.rand(rows), torch.full((rows,), 0.1)) is None


def test_extreme_weights_stay_exact() -> None:
    targets, predictions = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.1, 0.9, 0.4])
    for size in (1e-300, 1e300):
        weights = torch.full((3,), size, dtype=torch.float64)
        assert spearman(targets, predictions, weights) == pytest.approx(0.5, abs=1e-12)
