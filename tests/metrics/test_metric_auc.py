from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from gatewise.metrics import auc


def pairwise_auc(targets: torch.Tensor, scores: torch.Tensor, weights: torch.Tensor) -> float:
    """AUC by its definition: every pair of a positive and a negative."""
    positive, negative = targets == 1, targets == 0
    margin = scores[positive][:, None] - scores[negative][None, :]  # [positive, negative]
    wins = (margin > 0).double() + (margin == 0).double() / 2
    pairs = weights[positive][:, None] * weights[negative][None, :]
    return float((wins * pairs).sum() / pairs.sum())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("levels", [None, 10, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_scikit_learn(dtype: torch.dtype, levels: int | None, weighted: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    targets = (torch.rand(5000, generator=generator) < 0.2).to(dtype)
    scores = torch.randn(5000, generator=generator, dtype=dtype) + targets
    if levels is not None:
        scores = (scores * levels / 4).round()
    weights = torch.rand(5000, generator=generator, dtype=dtype) if weighted else None
    expected = roc_auc_score(targets, scores, sample_weight=weights)
    assert auc(targets, scores, weights) == pytest.approx(expected, abs=1e-9)


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from([0.0, 1.0]),
            st.sampled_from([-float("inf"), -2.5, -1e-300, -0.0, 0.0, 1e-300, 1.0, 2.5, float("inf")]),
            st.integers(1, 5),
        ),
        min_size=1,
        max_size=30,
    )
)
@settings(max_examples=200, deadline=None)
def test_equals_the_definition(rows: list[tuple[float, float, int]]) -> None:
    targets, scores, weights = torch.tensor(rows, dtype=torch.float64).unbind(1)
    if targets.unique().numel() < 2:
        assert auc(targets, scores, weights) is None
        return
    ranks = torch.unique(scores + 0.0, return_inverse=True)[1]  # finite stand-ins for the infinite scores
    assert auc(targets, scores, weights) == pytest.approx(pairwise_auc(targets, ranks, weights), abs=1e-12)


@pytest.mark.parametrize(
    ("targets", "scores", "expected"),
    [
        ([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8], 0.75),
        ([0, 1], [0.2, 0.9], 1.0),
        ([1, 0], [0.2, 0.9], 0.0),
        ([1, 0, 0], [0.5, 0.5, 0.1], 0.75),
        ([0, 1, 1, 0, 1], [-3.0, -1.0, -3.0, -7.0, 2.0], 5.5 / 6),
    ],
)
def test_by_hand(targets: list[float], scores: list[float], expected: float) -> None:
    assert auc(torch.tensor(targets), torch.tensor(scores)) == pytest.approx(expected, abs=1e-12)


def test_weights_by_hand() -> None:
    targets, scores = torch.tensor([1.0, 1.0, 0.0, 0.0]), torch.tensor([0.9, 0.4, 0.6, 0.4])
    weights = torch.tensor([1.0, 3.0, 2.0, 1.0])
    # Won: 0.9 against both (1 * 3); tied: 0.4 against 0.4 (3 * 1 / 2); of 4 * 3 pairs.
    assert auc(targets, scores, weights) == pytest.approx(4.5 / 12, abs=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_all_tied_is_a_half(weighted: bool) -> None:
    targets = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0])
    weights = torch.tensor([0.3, 1.7, 0.2, 5.0, 1.0]) if weighted else None
    assert auc(targets, torch.full((5,), 0.3), weights) == 0.5


def test_both_zeros_are_tied() -> None:
    assert auc(torch.tensor([1.0, 0.0]), torch.tensor([-0.0, 0.0])) == 0.5
    assert auc(torch.tensor([1.0, 0.0]), torch.tensor([0.0, -0.0])) == 0.5


def test_perfect_order_is_exactly_one_under_any_weights() -> None:
    generator = torch.Generator().manual_seed(2)
    targets = (torch.arange(1000) >= 700).double()
    weights = torch.rand(1000, generator=generator, dtype=torch.float64)
    assert auc(targets, torch.arange(1000.0), weights) == pytest.approx(1.0, abs=1e-15)
    assert auc(targets, torch.arange(1000.0)) == 1.0


@pytest.mark.parametrize("targets", [[], [1.0], [0.0, 0.0], [1.0, 1.0, 1.0]])
def test_one_class_or_no_rows_is_undefined(targets: list[float]) -> None:
    assert auc(torch.tensor(targets), torch.rand(len(targets))) is None


def test_a_class_of_zero_weight_only_is_undefined() -> None:
    targets, scores = torch.tensor([1.0, 0.0, 0.0]), torch.rand(3)
    assert auc(targets, scores, torch.tensor([0.0, 1.0, 1.0])) is None


def test_extreme_weights_stay_exact() -> None:
    targets, scores = torch.tensor([0, 0, 1, 1]), torch.tensor([0.1, 0.4, 0.35, 0.8])
    for size in (1e-300, 1e300):
        weights = torch.full((4,), size, dtype=torch.float64)
        assert auc(targets, scores, weights) == pytest.approx(0.75, abs=1e-12)


def test_half_precision_scores() -> None:
    generator = torch.Generator().manual_seed(3)
    targets = (torch.rand(2000, generator=generator) < 0.5).float()
    for dtype in (torch.float16, torch.bfloat16):
        scores = torch.randn(2000, generator=generator).to(dtype)
        expected = roc_auc_score(targets, scores.double())
        assert auc(targets.to(dtype), scores) == pytest.approx(expected, abs=1e-9)


def test_a_million_rows() -> None:
    generator = torch.Generator().manual_seed(4)
    scores = torch.rand(1_000_000, generator=generator)
    targets = (torch.rand(1_000_000, generator=generator) < scores).float()
    # Positives have density 2s and negatives 2(1 - s): P(s+ > s-) = 5/6.
    assert auc(targets, scores) == pytest.approx(5 / 6, abs=2e-3)
