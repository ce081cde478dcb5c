from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gatewise.tasks import BinaryTask, RegressionTask, Task, sample, summed_losses

NAN = math.nan


def tasks(**statistics: float) -> list[Task]:
    return [BinaryTask("liked"), RegressionTask("rating", **statistics)]


def losses_and_gradient(
    targets: Tensor, weights: Tensor | None = None, scores: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    if scores is None:
        scores = torch.randn(targets.shape, generator=torch.Generator().manual_seed(0))
    scores = scores.clone().requires_grad_()
    filled, counting = sample(targets, weights)
    sums = summed_losses(tasks(), scores, filled, counting)
    sums.sum().backward()
    counted = torch.ones_like(targets) if counting is None else counting
    return sums.detach(), counted.sum(dim=0), scores.grad


def test_sums_by_hand() -> None:
    scores = torch.tensor([[0.3, 1.0], [-1.2, 0.5], [2.0, -0.5]])
    targets = torch.tensor([[1.0, 0.0], [0.0, NAN], [NAN, 1.0]])
    weights = torch.tensor([[2.0, 0.5], [1.0, 9.0], [9.0, 3.0]])
    liked = [math.log(1 + math.exp(0.3)) - 0.3, math.log(1 + math.exp(-1.2))]
    rating = [1.0, 1.5**2]
    sums, counted, _ = losses_and_gradient(targets, scores=scores)
    assert sums.tolist() == pytest.approx([sum(liked), sum(rating)], rel=1e-6)
    assert counted.tolist() == [2, 2]
    sums, counted, _ = losses_and_gradient(targets, weights, scores)
    assert sums.tolist() == pytest.approx([2 * liked[0] + liked[1], 0.5 * rating[0] + 3 * rating[1]], rel=1e-6)
    assert counted.tolist() == [3, 3.5]


@pytest.mark.parametrize("weighted", [False, True])
def test_a_missing_label_is_as_if_the_row_were_not_there(weighted: bool) -> None:
    draw = torch.Generator().manual_seed(1)
    targets = torch.rand(8, 2, generator=draw).round()
    targets[5:] = NAN
    weights = torch.rand(8, 2, generator=draw) if weighted else None
    scores = torch.randn(8, 2, generator=draw)
    sums, counted, gradient = losses_and_gradient(targets, weights, scores)
    alone = losses_and_gradient(targets[:5], None if weights is None else weights[:5], scores[:5])
    torch.testing.assert_close((sums, counted, gradient[:5]), alone)
    assert not gradient[5:].any()


@pytest.mark.parametrize("garbage", [NAN, math.inf, -math.inf, 1e30, -1e30, 3.4e38])
def test_what_stands_under_a_zero_weight_reaches_nothing(garbage: float) -> None:
    targets = torch.tensor([[1.0, 0.5], [0.0, 2.0], [1.0, -1.0]])
    weights = torch.tensor([[1.0, 1.0], [0.0, 2.0], [1.0, 0.0]])
    clean = losses_and_gradient(targets, weights)
    targets[1, 0] = targets[2, 1] = garbage
    dirty = losses_and_gradient(targets, weights)
    for left, right in zip(clean, dirty, strict=True):
        assert torch.equal(left, right)


@pytest.mark.parametrize("garbage", [NAN, math.inf, 1e30])
def test_the_weight_of_a_missing_label_reaches_nothing(garbage: float) -> None:
    targets = torch.tensor([[1.0, NAN], [NAN, 2.0]])
    clean = losses_and_gradient(targets, torch.tensor([[1.0, 1.0], [1.0, 0.5]]))
    dirty = losses_and_gradient(targets, torch.tensor([[1.0, garbage], [garbage, 0.5]]))
    for left, right in zip(clean, dirty, strict=True):
        assert torch.equal(left, right)
    filled, counting = sample(targets, None)
    assert filled.tolist() == [[1, 0], [0, 2]]
    assert counting.tolist() == [[1, 0], [0, 1]]


def test_nothing_missing_needs_no_weights() -> None:
    targets = torch.tensor([[1.0, 2.0], [0.0, 0.5]])
    filled, counting = sample(targets, None)
    assert counting is None
    assert torch.equal(filled, targets)


def test_tasks_of_one_kind_are_taken_together_and_give_the_same() -> None:
    draw = torch.Generator().manual_seed(0)
    scores, targets = torch.randn(6, 2, generator=draw), torch.rand(6, 2, generator=draw).round()
    kinds: list[Task] = [BinaryTask("liked"), BinaryTask("shared")]
    each = [kind.losses(scores[:, k], targets[:, k]).sum() for k, kind in enumerate(kinds)]
    torch.testing.assert_close(summed_losses(kinds, scores, targets, None), torch.stack(each))


@pytest.mark.parametrize("rows", [0, 1, 4])
def test_an_all_masked_batch_is_safe(rows: int) -> None:
    sums, counted, gradient = losses_and_gradient(torch.full((rows, 2), NAN))
    assert sums.tolist() == counted.tolist() == [0, 0]
    assert torch.equal(gradient, torch.zeros(rows, 2))


@pytest.mark.parametrize("score", [0.0, 50.0, -50.0, 1e4, -1e4])
@pytest.mark.parametrize("label", [0.0, 1.0])
def test_cross_entropy_at_extreme_scores(score: float, label: float) -> None:
    scores = torch.tensor([score], requires_grad=True)
    loss = BinaryTask("liked").losses(scores, torch.tensor([label]))
    loss.sum().backward()
    # ln(1 + e^s) - y s, with ln(1 + e^s) = max(s, 0) + ln(1 + e^-|s|)
    expected = max(score, 0.0) + math.log1p(math.exp(-abs(score))) - label * score
    probability = 1 / (1 + math.exp(-score)) if score > -700 else 0.0
    assert loss.item() == pytest.approx(expected, rel=1e-6, abs=1e-20)
    assert float(scores.grad) == pytest.approx(probability - label, rel=1e-6, abs=1e-20)


def test_binary_predictions_are_float64_probabilities() -> None:
    predictions = BinaryTask("liked").predict(torch.tensor([0.0, 20.0, -1e4, 1e4]))
    assert predictions.dtype == torch.float64
    assert predictions.tolist() == pytest.approx([0.5, 1 / (1 + math.exp(-20)), 0, 1], rel=1e-12)


@pytest.mark.parametrize("rate", [0.5, 0.02, 0.9])
def test_an_untrained_binary_task_predicts_the_rate(rate: float) -> None:
    task = BinaryTask("liked", rate=rate)
    assert float(task.predict(torch.tensor([task.initial_bias]))) == pytest.approx(rate, rel=1e-6)
    assert RegressionTask("rating").initial_bias == 0


def test_the_unit_of_a_regression_label_does_not_matter() -> None:
    labels = torch.tensor([3.0, 4.5, 1.0, NAN, 5.0], dtype=torch.float64)
    scores = torch.tensor([0.1, -0.4, 2.0, 0.3, 0.0])
    found = []
    for scale in (1.0, 1000.0):
        known = labels[~labels.isnan()] * scale
        task = RegressionTask("rating", mean=float(known.mean()), std=float(known.std(correction=0)))
        own = scores.clone().requires_grad_()
        targets = task.targets(labels * scale).float()
        assert targets.isnan().tolist() == [False, False, False, True, False]
        loss = summed_losses([task], own[:, None], *sample(targets[:, None], None))
        loss.sum().backward()
        found.append((loss.detach(), own.grad, task.predict(scores)))
    torch.testing.assert_close(found[1][:2], found[0][:2], atol=1e-6, rtol=0)
    torch.testing.assert_close(found[1][2], found[0][2] * 1000)


def test_regression_predicts_what_its_targets_stand_for() -> None:
    task = RegressionTask("rating", mean=3.5, std=1.25)
    labels = torch.tensor([0.5, 3.5, 5.0], dtype=torch.float64)
    torch.testing.assert_close(task.predict(task.targets(labels)), labels)


def test_metrics_are_taken_over_the_tasks_own_sample() -> None:
    predictions = torch.tensor([1.0, 2.0, 5.0, -3.0], dtype=torch.float64)
    labels = torch.tensor([2.0, NAN, 4.0, 0.0], dtype=torch.float64)
    task = RegressionTask("rating")
    metrics = task.evaluate(labels, predictions)
    assert metrics["rmse"] == pytest.approx(math.sqrt((1 + 1 + 9) / 3))
    assert metrics["mae"] == pytest.approx(5 / 3)
    predictions[1] = NAN  # also what is predicted there
    assert task.evaluate(labels, predictions) == metrics


def test_binary_metrics_by_hand() -> None:
    labels = torch.tensor([1.0, 0.0, NAN, 1.0, 0.0])
    metrics = BinaryTask("liked").evaluate(labels, torch.tensor([0.9, 0.6, 0.99, 0.5, 0.1], dtype=torch.float64))
    assert metrics["auc"] == pytest.approx(3 / 4)
    assert metrics["pcoc"] == pytest.approx(2.1 / 2)
    assert set(metrics) == {"auc", "log_loss", "pr_auc", "pcoc", "normalised_entropy", "ece", "brier"}


@pytest.mark.parametrize("labels", [[], [NAN, NAN], [1.0, NAN], [1.0, 1.0]])
def test_what_is_undefined_is_none(labels: list[float]) -> None:
    values = torch.tensor(labels, dtype=torch.float64)
    predictions = torch.full((len(labels),), 0.5, dtype=torch.float64)
    assert BinaryTask("liked").evaluate(values, predictions)["auc"] is None
    assert RegressionTask("rating").evaluate(values, predictions)["r2"] is None
    for task in tasks():
        assert all(value is None or math.isfinite(value) for value in task.evaluate(values, predictions).values())
