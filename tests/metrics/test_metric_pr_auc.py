from __future__ import annotations

import pytest
import torch
from sklearn.metrics import average_precision_score

from gatewise.metrics import pr_auc


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
def test_by_hand(targets: list[float], scores: list[float], expected: float) -> None:
    assert pr_auc(torch.tensor(targets), torch.tensor(scores)) == pytest.approx(expected, abs=1e-12)


def test_weights_by_hand() -> None:
    targets, scores = torch.tensor([0.0, 1.0, 1.0]), torch.tensor([0.9, 0.8, 0.7])
    weights = torch.tensor([2.0, 3.0, 1.0])
    # Recall 3/4 at precision 3/5, then 1/4 more at 4/6.
    assert pr_auc(targets, scores, weights) == pytest.approx(0.75 * 0.6 + 0.25 * 4 / 6, abs=1e-12)


def test_all_tied_is_the_share_of_positives() -> None:
    assert pr_auc(torch.tensor([1, 0, 0, 0, 1]), torch.full((5,), 0.3)) == pytest.approx(0.4, abs=1e-15)


@pytest.mark.parametrize("targets", [[], [0.0], [0.0, 0.0]])
def test_no_positive_is_undefined(targets: list[float]) -> None:
    assert pr_auc(torch.tensor(targets), torch.rand(len(targets))) is None


def test_positives_of_zero_weight_only_are_undefined() -> None:
    assert pr_auc(torch.tensor([1.0, 0.0]), torch.rand(2), torch.tensor([0.0, 1.0])) is None


def test_a_million_rows() -> None:
    generator = torch.Generator().manual_seed(4)
    scores = torch.rand(1_000_000, generator=generator)
    targets = (torch.rand(1_000_000, generator=generator) < scores).float()
    # Precision above s is (1 + s) / 2 and the density of positives 2s: the integral is 5/6.
    assert pr_auc(targets, scores) == pytest.approx(5 / 6, abs=2e-3)
