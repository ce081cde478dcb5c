from __future__ import annotations

import math

import numpy as np
import pytest
import sklearn.metrics
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score

from gatewise.errors import ShapeError
from gatewise.metrics import auc, brier, log_loss, normalised_entropy, pr_auc


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
def test_auc_equals_scikit_learn(dtype: torch.dtype, levels: int | None, weighted: bool) -> None:
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
def test_auc_equals_the_definition(rows: list[tuple[float, float, int]]) -> None:
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
def test_auc_by_hand(targets: list[float], scores: list[float], expected: float) -> None:
    assert auc(torch.tensor(targets), torch.tensor(scores)) == pytest.approx(expected, abs=1e-12)


def test_auc_weights_by_hand() -> None:
    targets, scores = torch.tensor([1.0, 1.0, 0.0, 0.0]), torch.tensor([0.9, 0.4, 0.6, 0.4])
    weights = torch.tensor([1.0, 3.0, 2.0, 1.0])
    # Won: 0.9 against both (1 * 3); tied: 0.4 against 0.4 (3 * 1 / 2); of 4 * 3 pairs.
    assert auc(targets, scores, weights) == pytest.approx(4.5 / 12, abs=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_auc_all_tied_is_a_half(weighted: bool) -> None:
    targets = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0])
    weights = torch.tensor([0.3, 1.7, 0.2, 5.0, 1.0]) if weighted else None
    assert auc(targets, torch.full((5,), 0.3), weights) == 0.5


def test_auc_both_zeros_are_tied() -> None:
    assert auc(torch.tensor([1.0, 0.0]), torch.tensor([-0.0, 0.0])) == 0.5
    assert auc(torch.tensor([1.0, 0.0]), torch.tensor([0.0, -0.0])) == 0.5


def test_auc_perfect_order_is_exactly_one_under_any_weights() -> None:
    generator = torch.Generator().manual_seed(2)
    targets = (torch.arange(1000) >= 700).double()
    weights = torch.rand(1000, generator=generator, dtype=torch.float64)
    assert auc(targets, torch.arange(1000.0), weights) == pytest.approx(1.0, abs=1e-15)
    assert auc(targets, torch.arange(1000.0)) == 1.0


@pytest.mark.parametrize("targets", [[], [1.0], [0.0, 0.0], [1.0, 1.0, 1.0]])
def test_auc_one_class_or_no_rows_is_undefined(targets: list[float]) -> None:
    assert auc(torch.tensor(targets), torch.rand(len(targets))) is None


def test_auc_a_class_of_zero_weight_only_is_undefined() -> None:
    targets, scores = torch.tensor([1.0, 0.0, 0.0]), torch.rand(3)
    assert auc(targets, scores, torch.tensor([0.0, 1.0, 1.0])) is None


def test_auc_extreme_weights_stay_exact() -> None:
    targets, scores = torch.tensor([0, 0, 1, 1]), torch.tensor([0.1, 0.4, 0.35, 0.8])
    for size in (1e-300, 1e300):
        weights = torch.full((4,), size, dtype=torch.float64)
        assert auc(targets, scores, weights) == pytest.approx(0.75, abs=1e-12)


def test_auc_half_precision_scores() -> None:
    generator = torch.Generator().manual_seed(3)
    targets = (torch.rand(2000, generator=generator) < 0.5).float()
    for dtype in (torch.float16, torch.bfloat16):
        scores = torch.randn(2000, generator=generator).to(dtype)
        expected = roc_auc_score(targets, scores.double())
        assert auc(targets.to(dtype), scores) == pytest.approx(expected, abs=1e-9)


def test_auc_a_million_rows() -> None:
    generator = torch.Generator().manual_seed(4)
    scores = torch.rand(1_000_000, generator=generator)
    targets = (torch.rand(1_000_000, generator=generator) < scores).float()
    # Positives have density 2s and negatives 2(1 - s): P(s+ > s-) = 5/6.
    assert auc(targets, scores) == pytest.approx(5 / 6, abs=2e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("levels", [None, 10, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_pr_auc_equals_scikit_learn(dtype: torch.dtype, levels: int | None, weighted: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    targets = (torch.rand(5000, generator=generator) < 0.2).to(dtype)
    scores = torch.randn(5000, generator=generator, dtype=dtype) + targets
    if levels is not None:
        scores = (scores * levels / 4).round()
    weights = torch.rand(5000, generator=generator, dtype=dtype) if weighted else None
    expected = average_precision_score(targets, scores, sample_weight=weights)
    assert pr_auc(targets, scores, weights) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("targets", "scores", "expected"),
    [
        ([0, 1, 1, 0], [0.9, 0.8, 0.7, 0.1], (1 / 2 + 2 / 3) / 2),
        ([1, 0, 0], [0.9, 0.5, 0.1], 1.0),
        ([0, 0, 1], [0.9, 0.5, 0.1], 1 / 3),
        ([1, 0, 1, 0], [0.9, 0.5, 0.5, 0.1], 1 / 2 + 2 / 3 / 2),
        ([1, 1], [0.3, 0.9], 1.0),
    ],
)
def test_pr_auc_by_hand(targets: list[float], scores: list[float], expected: float) -> None:
    assert pr_auc(torch.tensor(targets), torch.tensor(scores)) == pytest.approx(expected, abs=1e-12)


def test_pr_auc_weights_by_hand() -> None:
    targets, scores = torch.tensor([0.0, 1.0, 1.0]), torch.tensor([0.9, 0.8, 0.7])
    weights = torch.tensor([2.0, 3.0, 1.0])
    # Recall 3/4 at precision 3/5, then 1/4 more at 4/6.
    assert pr_auc(targets, scores, weights) == pytest.approx(0.75 * 0.6 + 0.25 * 4 / 6, abs=1e-12)


def test_pr_auc_all_tied_is_the_share_of_positives() -> None:
    assert pr_auc(torch.tensor([1, 0, 0, 0, 1]), torch.full((5,), 0.3)) == pytest.approx(0.4, abs=1e-15)


@pytest.mark.parametrize("targets", [[], [0.0], [0.0, 0.0]])
def test_pr_auc_no_positive_is_undefined(targets: list[float]) -> None:
    assert pr_auc(torch.tensor(targets), torch.rand(len(targets))) is None


def test_pr_auc_positives_of_zero_weight_only_are_undefined() -> None:
    assert pr_auc(torch.tensor([1.0, 0.0]), torch.rand(2), torch.tensor([0.0, 1.0])) is None


def test_pr_auc_a_million_rows() -> None:
    generator = torch.Generator().manual_seed(4)
    scores = torch.rand(1_000_000, generator=generator)
    targets = (torch.rand(1_000_000, generator=generator) < scores).float()
    # Precision above s is (1 + s) / 2 and the density of positives 2s: the integral is 5/6.
    assert pr_auc(targets, scores) == pytest.approx(5 / 6, abs=2e-3)


def log_loss_sample(dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    predictions = torch.rand(5000, generator=generator, dtype=dtype)
    targets = (torch.rand(5000, generator=generator, dtype=dtype) < predictions).to(dtype)
    predictions[:20], predictions[20:40] = 0, 1
    return targets, predictions, torch.rand(5000, generator=generator, dtype=dtype)


@pytest.mark.parametrize("weighted", [False, True])
def test_log_loss_equals_scikit_learn_in_float64(weighted: bool) -> None:
    targets, predictions, weights = log_loss_sample(torch.float64)
    chosen = weights if weighted else None
    expected = sklearn.metrics.log_loss(targets.numpy(), predictions.numpy(), sample_weight=chosen)
    assert log_loss(targets, predictions, chosen) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_log_loss_equals_scikit_learn_in_float32(weighted: bool) -> None:
    targets, predictions, weights = log_loss_sample(torch.float32)
    chosen = weights.numpy() if weighted else None
    actual = log_loss(targets, predictions, weights if weighted else None)
    # scikit-learn takes float32 logarithms of float32 input: 1e-9 only after the same clipping in float64.
    directly = sklearn.metrics.log_loss(targets.numpy(), predictions.numpy(), sample_weight=chosen)
    assert actual == pytest.approx(directly, abs=1e-6)
    epsilon = float(np.finfo(np.float32).eps)
    clipped = predictions.numpy().astype(np.float64).clip(epsilon, 1 - epsilon)
    exact = sklearn.metrics.log_loss(targets.numpy(), clipped, sample_weight=chosen)
    assert actual == pytest.approx(exact, abs=1e-9)


def test_log_loss_by_hand() -> None:
    targets, predictions = torch.tensor([1.0, 0.0]), torch.tensor([0.25, 0.5])
    assert log_loss(targets, predictions) == pytest.approx((math.log(4) + math.log(2)) / 2, abs=1e-12)
    weights = torch.tensor([3.0, 1.0])
    assert log_loss(targets, predictions, weights) == pytest.approx((3 * math.log(4) + math.log(2)) / 4, abs=1e-12)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_log_loss_certain_and_wrong_costs_the_logarithm_of_epsilon(dtype: torch.dtype) -> None:
    cost = -math.log(torch.finfo(dtype).eps)
    zero, one = torch.zeros(1, dtype=dtype), torch.ones(1, dtype=dtype)
    assert log_loss(one, zero) == pytest.approx(cost, rel=1e-12)
    assert log_loss(zero, one) == pytest.approx(cost, rel=1e-12)


def test_log_loss_integer_predictions_clip_as_float64() -> None:
    cost = -math.log(torch.finfo(torch.float64).eps)
    assert log_loss(torch.tensor([1]), torch.tensor([0])) == pytest.approx(cost, rel=1e-12)


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_log_loss_one_class_is_defined(target: float) -> None:
    predictions = torch.tensor([0.5, 0.5])
    assert log_loss(torch.full((2,), target), predictions) == pytest.approx(math.log(2), abs=1e-12)


def test_log_loss_no_rows_is_undefined() -> None:
    assert log_loss(torch.tensor([]), torch.tensor([])) is None
    assert log_loss(torch.tensor([1.0]), torch.tensor([0.5]), torch.tensor([0.0])) is None


@pytest.mark.parametrize("wrong", [-0.5, 1.5, float("inf")])
def test_log_loss_logits_are_refused(wrong: float) -> None:
    with pytest.raises(ShapeError, match=f"log_loss: expected predictions from 0 to 1, found {wrong:g}"):
        log_loss(torch.tensor([1.0, 0.0]), torch.tensor([0.5, wrong]))


def test_log_loss_a_million_rows() -> None:
    generator = torch.Generator().manual_seed(4)
    predictions = torch.rand(1_000_000, generator=generator)
    targets = (torch.rand(1_000_000, generator=generator) < predictions).float()
    # The mean binary entropy of a uniform probability is 1/2 nat.
    assert log_loss(targets, predictions) == pytest.approx(0.5, abs=2e-3)


def entropy(rate: float) -> float:
    return -rate * math.log(rate) - (1 - rate) * math.log(1 - rate)


@pytest.mark.parametrize("weighted", [False, True])
def test_normalised_entropy_equals_scikit_learns_log_loss_by_that_of_the_base_rate(weighted: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    predictions = torch.rand(5000, generator=generator, dtype=torch.float64) / 10
    targets = (torch.rand(5000, generator=generator, dtype=torch.float64) < predictions).double()
    weights = torch.rand(5000, generator=generator, dtype=torch.float64) if weighted else None
    rate = float(np.average(targets, weights=weights))
    loss = sklearn.metrics.log_loss(targets, predictions, sample_weight=weights)
    assert normalised_entropy(targets, predictions, weights) == pytest.approx(loss / entropy(rate), abs=1e-9)


def test_normalised_entropy_the_base_rate_scores_one() -> None:
    targets = torch.tensor([1.0, 0.0, 0.0, 0.0])
    assert normalised_entropy(targets, torch.full((4,), 0.25)) == pytest.approx(1.0, abs=1e-12)
    weights = torch.tensor([9.0, 1.0, 1.0, 1.0])
    assert normalised_entropy(targets, torch.full((4,), 0.75), weights) == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("targets", [[], [1.0], [0.0, 0.0], [1.0, 1.0]])
def test_normalised_entropy_one_class_or_no_rows_is_undefined(targets: list[float]) -> None:
    assert normalised_entropy(torch.tensor(targets), torch.full((len(targets),), 0.5)) is None


@pytest.mark.parametrize("weighted", [False, True])
def test_brier_equals_scikit_learn(weighted: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    predictions = torch.rand(5000, generator=generator, dtype=torch.float64)
    targets = (torch.rand(5000, generator=generator, dtype=torch.float64) < predictions).double()
    weights = torch.rand(5000, generator=generator, dtype=torch.float64) if weighted else None
    expected = brier_score_loss(targets, predictions, sample_weight=weights)
    assert brier(targets, predictions, weights) == pytest.approx(expected, abs=1e-12)


def test_brier_by_hand() -> None:
    targets, predictions = torch.tensor([1, 0]), torch.tensor([0.5, 0.25])
    assert brier(targets, predictions) == (0.25 + 0.0625) / 2
    assert brier(targets, predictions, torch.tensor([1, 3])) == (0.25 + 3 * 0.0625) / 4
    assert brier(torch.tensor([1]), torch.tensor([0.5])) == 0.25
