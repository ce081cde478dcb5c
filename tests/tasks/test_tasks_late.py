"""Estimators of late labels: their equations, finite and never below 0, and true rates where naive labels miss them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from gatewise.metrics import log_loss, pcoc
from gatewise.tasks import LATE, BinaryTask, FunnelTask, LateTask
from gatewise.tasks.all_tasks import targets_and_weights
from gatewise.tasks.predicted import evaluate_tasks

NAN = float("nan")
BOUNDS = (0.0, 0.1, 0.3, 0.6, 1.0)


def made(late: str, mean_wait: float = 0.3) -> LateTask:
    return LateTask("buy", late=late, rate=0.2, mean_wait=mean_wait, bounds=BOUNDS)


@pytest.mark.parametrize("late", LATE)
def test_losses_are_finite_and_never_below_zero(late):
    task, generator = made(late), torch.Generator().manual_seed(0)
    scores = torch.randn(4000, task.num_scores, generator=generator) * 40
    scores[:4] = torch.tensor([50.0, -50.0, 1e4, -1e4]).unsqueeze(1)
    scores.requires_grad_()
    age = torch.rand(4000, generator=generator).round(decimals=2)
    ones = (torch.rand(4000, generator=generator) < 0.4).float()
    wait = torch.where(
        (ones == 1) & (torch.rand(4000, generator=generator) < 0.8), age * torch.rand(4000, generator=generator), -1
    )
    losses = task.losses(scores, torch.stack([ones, age, wait], dim=1))
    losses.sum().backward()
    assert losses.isfinite().all()
    assert losses.min() >= -1e-5
    assert scores.grad is not None
    assert scores.grad.isfinite().all()


@pytest.mark.parametrize("late", LATE)
def test_final_rows_are_cross_entropy(late):
    task, plain = made(late), BinaryTask("buy")
    scores = torch.randn(50, task.num_scores, dtype=torch.float64, requires_grad=True)
    labels = torch.stack([(torch.arange(50) % 2).double(), torch.ones(50), torch.full((50,), NAN)], dim=1)
    own = torch.autograd.grad(task.losses(scores, task.targets(labels)).sum(), scores)[0][:, 0]
    wanted = torch.autograd.grad(plain.losses(scores[:, 0], labels[:, 0]).sum(), scores)[0][:, 0]
    assert torch.allclose(own, wanted)


def test_the_delayed_feedback_model_is_a_distribution_of_what_is_seen():
    task = made("delayed_feedback")
    scores = torch.tensor([[0.4, 0.3]], dtype=torch.float64)
    age = 0.37
    waits = (torch.arange(20_000, dtype=torch.float64) + 0.5) / 20_000 * age

    def likelihood(one: float, wait: Tensor) -> Tensor:
        rows = torch.stack([torch.full_like(wait, one), torch.full_like(wait, age), wait], dim=1)
        return (-task.losses(scores.expand(len(wait), 2), rows)).exp()

    nothing = torch.tensor([-1.0], dtype=torch.float64)
    # densities are relative to the highest: 100 / mean_wait
    seen = likelihood(1.0, waits).mean() * age * 100 / 0.3
    assert float(seen + likelihood(0.0, nothing)) == pytest.approx(1, abs=1e-6)
    assert float(likelihood(1.0, nothing)) == pytest.approx(float(seen), abs=1e-6)


def test_importance_weights_are_the_ratios_of_wanted_to_seen():
    task = made("importance")
    scores = torch.tensor([[0.4, 1.0, 0.5, -0.5, -1.0]], dtype=torch.float64)
    parts = scores[0, 1:].softmax(0)
    share = parts[0] + parts[1] / 2  # at the age 0.2
    p = torch.sigmoid(scores[0, 0])
    one = task.losses(scores, torch.tensor([[1.0, 0.2, -1.0]], dtype=torch.float64))
    zero = task.losses(scores, torch.tensor([[0.0, 0.2, -1.0]], dtype=torch.float64))
    assert float(one) == pytest.approx(float(-p.log() / share))
    assert float(zero) == pytest.approx(float(-(1 - p).log() * (1 - p) / (1 - p * share)))
    known = task.losses(scores, torch.tensor([[1.0, 0.2, 0.15]], dtype=torch.float64))
    assert float(known - one) == pytest.approx(float(-(parts[1] / 2 / share).log()))
    young = task.losses(scores, torch.tensor([[0.0, 0.001, -1.0]], dtype=torch.float64))
    assert float(young) == 0


def late_labels(inputs: Tensor, shape: str) -> tuple[Tensor, Tensor]:
    """Return true probabilities and labels ``[row, 3]`` so far, at ages up to 1.1 delays: mostly not final."""
    rng = np.random.default_rng(0)
    chance = torch.sigmoid(inputs @ torch.tensor([-1.5, 1.0], dtype=torch.float64))
    rows = len(inputs)
    mean = 0.3 * np.exp(-0.5 * inputs[:, 1].numpy())
    if shape == "exponential":
        wait = -mean * np.log(1 - rng.random(rows) * (1 - np.exp(-1 / mean)))
    else:
        wait = np.where(rng.random(rows) < 0.5, rng.uniform(0, 0.1, rows), rng.uniform(0.6, 0.9, rows))
    age, comes = rng.uniform(0, 1.1, rows), rng.random(rows) < chance.numpy()
    one = comes & (wait <= age)
    labels = np.stack([one, np.minimum(age, 1), np.where(one, wait, NAN)], axis=1)
    return chance, torch.from_numpy(labels)


@pytest.mark.parametrize(
    ("late", "shape"), [("delayed_feedback", "exponential"), ("importance", "exponential"), ("importance", "two humps")]
)
def test_true_rates_are_recovered_where_naive_labels_miss_them(late, shape, fitted, inputs):
    inputs = inputs[:40_000]
    chance, labels = late_labels(inputs, shape)
    naive = float(labels[:, 0].mean() / chance.mean())
    assert naive < 0.85
    waits = labels[:, 2][~labels[:, 2].isnan()]
    bounds = [
        0.0,
        *sorted(
            {
                *waits.quantile(torch.linspace(0.125, 0.875, 7, dtype=torch.float64)).tolist(),
                *(k / 8 for k in range(1, 8)),
            }
        ),
        1.0,
    ]
    task = LateTask("buy", late=late, rate=0.2, mean_wait=float(waits.mean()), bounds=bounds)
    found = task.predict(inputs @ fitted(task, inputs, labels))
    assert float(found.mean() / chance.mean()) == pytest.approx(1, abs=0.03)
    for half in (inputs[:, 1] < 0, inputs[:, 1] > 0):
        assert float(found[half].mean() / chance[half].mean()) == pytest.approx(1, abs=0.05)


def test_members_are_merged_to_the_mean_of_their_predictions():
    task = made("importance")
    scores = torch.randn(7, 3, task.num_scores, dtype=torch.float64)
    wanted = torch.stack([task.predict(scores[:, k]) for k in range(3)]).mean(0)
    assert torch.allclose(task.predict(task.merged(scores)), wanted)


def test_only_final_labels_are_judged():
    task = made("delayed_feedback")
    labels = torch.tensor([[1.0, 1.0, 0.5], [0.0, 1.0, NAN], [1.0, 0.5, 0.1], [0.0, 0.5, NAN], [NAN, 1.0, NAN]])
    scores = torch.randn(5, 2)
    assert evaluate_tasks([task], scores, labels)["buy"]["log_loss"] == log_loss(
        labels[:2, 0], task.predict(scores)[:2]
    )


def test_a_step_that_waits_leaves_young_rows_out_of_both_samples():
    click = BinaryTask("click")
    labels = torch.tensor([[0.0, NAN], [1.0, NAN], [0.0, 0.0], [1.0, 1.0], [1.0, 0.0]])
    for waits, counted in ((False, [1, 0, 1, 1, 1]), (True, [0, 0, 1, 1, 1])):
        step = FunnelTask("buy", after=[click], waits=waits)
        _, weights = targets_and_weights([click, step], labels, None)
        assert weights[:, 1].tolist() == counted
        assert (~step.judged({"click": labels[:, 0], "buy": labels[:, 1]})["click_and_buy"].isnan()).tolist() == [
            bool(c) for c in counted
        ]


def test_metrics_count_a_negative_for_all_that_were_like_it():
    torch.manual_seed(0)
    labels, scores = (torch.rand(400) < 0.3).double(), torch.randn(400)
    weights = torch.where(labels == 0, 4.0, 1.0)
    task = BinaryTask("click", kept=0.25)
    found = evaluate_tasks([task], scores.unsqueeze(1), labels.unsqueeze(1))["click"]
    assert found["pcoc"] == pytest.approx(pcoc(labels, task.predict(scores), weights))
    shares = torch.stack([labels, torch.full((400,), 0.25)], dim=1)
    by_column = evaluate_tasks([BinaryTask("click", kept="column")], scores.unsqueeze(1), shares)["click"]
    assert by_column == pytest.approx(found)
    click, buy = BinaryTask("click", kept=0.25), FunnelTask("buy", after=[BinaryTask("click", kept=0.25)], kept=0.5)
    both = {"click": torch.tensor([0.0, 1.0, 1.0]), "buy": torch.tensor([0.0, 0.0, 1.0])}
    assert buy.judged_weights(both)["click_and_buy"].tolist() == [4, 2, 1]
    assert click.judged_weights(both)["click"].tolist() == [4, 1, 1]
