from __future__ import annotations

import math

import pytest
import sklearn.metrics
import torch

from gatewise.errors import ShapeError
from gatewise.metrics import ACCURACY, CROSS_ENTROPY, Metric, accuracy, cross_entropy, log_loss

both = pytest.mark.parametrize("metric", [ACCURACY, CROSS_ENTROPY], ids=lambda metric: metric.name)


def sample(rows: int = 2000, classes: int = 4) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    predictions = torch.randn(rows, classes, generator=generator, dtype=torch.float64).softmax(1)
    targets = predictions.multinomial(1, generator=generator)[:, 0]
    return targets, predictions, torch.randint(0, 4, (rows,), generator=generator)


@pytest.mark.parametrize("weighted", [False, True])
def test_equal_scikit_learn(weighted: bool) -> None:
    targets, predictions, weights = sample()
    chosen = weights if weighted else None
    loss = sklearn.metrics.log_loss(targets, predictions, sample_weight=chosen, labels=range(4))
    assert cross_entropy(targets, predictions, chosen) == pytest.approx(loss, abs=1e-9)
    hits = sklearn.metrics.accuracy_score(targets, predictions.argmax(1), sample_weight=chosen)
    assert accuracy(targets, predictions, chosen) == pytest.approx(hits, abs=1e-12)


def test_classes_that_tie_share_the_row() -> None:
    assert accuracy(torch.tensor([0, 1, 2]), torch.full((3, 3), 1 / 3)) == pytest.approx(1 / 3, abs=1e-12)
    tied = torch.tensor([[0.4, 0.4, 0.2], [0.4, 0.4, 0.2]])
    assert accuracy(torch.tensor([1, 2]), tied) == 0.25


def test_accuracy_reads_logits() -> None:
    targets, predictions, _ = sample()
    logits = predictions.log()
    assert accuracy(targets, logits) == accuracy(targets, predictions)
    assert accuracy(torch.tensor([1]), torch.tensor([[-float("inf"), -3.0]])) == 1.0


def test_two_classes_are_the_log_loss() -> None:
    generator = torch.Generator().manual_seed(2)
    for dtype in (torch.float32, torch.float64):
        clicks = torch.rand(1000, generator=generator, dtype=dtype)
        targets = (torch.rand(1000, generator=generator) < clicks).long()
        found = cross_entropy(targets, torch.stack([1 - clicks, clicks], 1))
        assert found == pytest.approx(log_loss(targets, clicks), abs=1e-6 if dtype == torch.float32 else 1e-12)


def test_certain_and_wrong_costs_the_logarithm_of_epsilon() -> None:
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        expected = -math.log(torch.finfo(dtype).eps)
        assert cross_entropy(torch.tensor([0]), torch.tensor([[0, 1]], dtype=dtype)) == pytest.approx(expected)


@both
def test_a_weight_is_a_repeated_row_and_the_order_does_not_matter(metric: Metric) -> None:
    targets, predictions, weights = sample()
    expected = metric.compute(targets.repeat_interleave(weights), predictions.repeat_interleave(weights, 0))
    order = torch.randperm(2000, generator=torch.Generator().manual_seed(3))
    masked = (weights == 0)[order]
    filled = targets[order].double().masked_fill(masked, float("nan")), predictions[order].clone()
    filled[1][masked] = float("nan")
    assert metric.compute(*filled, weights[order]) == pytest.approx(expected, abs=1e-12)


@both
def test_no_rows_is_undefined(metric: Metric) -> None:
    assert metric.compute(torch.tensor([]), torch.ones(0, 3)) is None
    assert metric.compute(torch.tensor([0]), torch.eye(2)[:1], torch.zeros(1)) is None


@both
def test_refusals(metric: Metric) -> None:
    def refused(targets: list[float], predictions: torch.Tensor, message: str) -> None:
        with pytest.raises(ShapeError, match=f"^{metric.name}: expected {message}$"):
            metric.compute(torch.tensor(targets), predictions)

    pair = "targets \\[row\\] and predictions \\[row, class\\], found targets \\(2,\\), predictions "
    refused([0, 1], torch.eye(3), pair + "\\(3, 3\\)")
    refused([0, 1], torch.ones(2), pair + "\\(2,\\)")
    refused([0, 2], torch.eye(2), "whole targets from 0 to 1, found 2")
    refused([0, -1], torch.eye(2), "whole targets from 0 to 1, found -1")
    refused([0, 0.5], torch.eye(2), "whole targets from 0 to 1, found 0.5")
    refused(
        [0, 1], torch.tensor([[1.0, 0.0], [float("nan"), 1.0]]), "predictions without NaN, found NaN in 1 of 2 rows"
    )


def test_cross_entropy_refuses_what_is_no_distribution() -> None:
    with pytest.raises(ShapeError, match=r"^cross_entropy: expected predictions from 0 to 1, found -2$"):
        cross_entropy(torch.tensor([0]), torch.tensor([[-2.0, 3.0]]))
    with pytest.raises(ShapeError, match=r"^cross_entropy: expected predictions whose classes sum to 1, found 1.5$"):
        cross_entropy(torch.tensor([0]), torch.tensor([[0.75, 0.75]]))


def test_half_precision_sums_are_let_through() -> None:
    predictions = torch.randn(1000, 5, generator=torch.Generator().manual_seed(1)).softmax(1)
    for dtype in (torch.bfloat16, torch.float16):
        assert cross_entropy(torch.zeros(1000), predictions.to(dtype)) == pytest.approx(
            cross_entropy(torch.zeros(1000), predictions), abs=0.01
        )
