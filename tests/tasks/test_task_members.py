"""Members: what is predicted is the mean of what the members predict."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gatewise.tasks import (
    BinaryTask,
    CountTask,
    DurationTask,
    FunnelTask,
    JointTask,
    LifetimeValueTask,
    MulticlassTask,
    OrdinalTask,
    RankedBinaryTask,
    RegressionTask,
    Task,
    for_members,
    merged_scores,
    predict_tasks,
    summed_losses,
    targets_and_weights,
)

ROWS, MEMBERS = 50, 4
CLICK = BinaryTask("click")
CART = FunnelTask("cart", after=[CLICK])
KINDS: dict[str, list[Task]] = {
    "binary": [CLICK],
    "focal": [BinaryTask("click", focal=2.0)],
    "jrc": [JointTask("click")],
    "regression": [RegressionTask("price", mean=30.0, std=7.0)],
    "quantile": [RegressionTask("price", loss="quantile", quantile=0.9)],
    "count": [CountTask("visits", mean=3.0)],
    "tweedie": [CountTask("spent", loss="tweedie", mean=3.0)],
    "multiclass": [MulticlassTask("device", classes=("phone", "tv", "web"))],
    "ordinal": [OrdinalTask("stars", levels=(1, 2, 3, 4, 5))],
    "lifetime value": [LifetimeValueTask("revenue", rate=0.2, log_mean=3.0, log_std=1.7)],
    "funnel": [CLICK, CART, FunnelTask("buy", after=[CLICK, CART])],
    "through": [CLICK, CART, FunnelTask("buy", after=[CLICK], through=CART)],
    "imputed": [CLICK, FunnelTask("buy", after=[CLICK], learn="dr")],
    "several": [RegressionTask("price"), CLICK, MulticlassTask("device", classes=("phone", "tv"))],
}


def scores_of(tasks: list[Task], spread: float = 2.0) -> Tensor:
    draw = torch.Generator().manual_seed(0)
    width = sum(task.num_scores for task in tasks)
    return spread * torch.randn(ROWS, MEMBERS, width, generator=draw)


def unknown(tasks: list[Task], rows: int) -> Tensor:
    return torch.full((rows, sum(task.num_labels for task in tasks)), math.nan)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_predicts_the_mean_of_its_members(kind: str) -> None:
    tasks = KINDS[kind]
    scores = scores_of(tasks)
    merged = predict_tasks(tasks, merged_scores(tasks, scores), unknown(tasks, ROWS))
    apart = predict_tasks(tasks, scores.flatten(0, 1), unknown(tasks, ROWS * MEMBERS))
    # a step given the step before is a ratio of means, so that the joint probability is the mean
    given = {task.given for task in tasks if isinstance(task, FunnelTask)}
    for name in merged.keys() - given:
        wanted = apart[name].reshape(ROWS, MEMBERS).mean(dim=1)
        torch.testing.assert_close(merged[name], wanted, rtol=2e-5, atol=1e-6, msg=f"{kind}: {name}")


def test_a_duration_has_the_mean_distribution_of_its_members() -> None:
    tasks: list[Task] = [DurationTask("play")]
    scores = scores_of(tasks, 0.3)
    torch.testing.assert_close(merged_scores(tasks, scores), scores.mean(dim=1))


@pytest.mark.parametrize("kind", KINDS)
def test_one_member_predicts_what_it_predicts_alone_at_any_score(kind: str) -> None:
    tasks = KINDS[kind]
    scores = scores_of(tasks, 8.0)[:, :1]
    merged = predict_tasks(tasks, merged_scores(tasks, scores), unknown(tasks, ROWS))
    alone = predict_tasks(tasks, scores.squeeze(1), unknown(tasks, ROWS))
    for name, found in merged.items():
        torch.testing.assert_close(found, alone[name], rtol=1e-3, atol=1e-5, msg=f"{kind}: {name}")


@pytest.mark.parametrize("kind", KINDS)
def test_scores_of_any_size_merge_to_finite_ones(kind: str) -> None:
    tasks = KINDS[kind]
    assert merged_scores(tasks, scores_of(tasks, 500.0)).isfinite().all()


def test_the_loss_of_members_is_the_mean_of_their_losses() -> None:
    tasks: list[Task] = [RankedBinaryTask("click"), RegressionTask("price")]
    labels = torch.tensor([[1.0, 3], [0, 4], [math.nan, 5], [1, 6], [0, math.nan], [1, 1]])
    weights = torch.rand(6, 2, generator=torch.Generator().manual_seed(1))
    groups = torch.tensor([0, 0, 0, 1, 1, -1])
    targets, counted = targets_and_weights(tasks, labels, weights)
    scores = scores_of(tasks)[:6]
    rows = for_members(MEMBERS, targets, counted, groups)
    together = summed_losses(tasks, scores.flatten(0, 1), rows.targets, rows.weights, rows.groups)
    apart = [summed_losses(tasks, scores[:, i], targets, counted, groups) for i in range(MEMBERS)]
    torch.testing.assert_close(together, torch.stack(apart).sum(dim=0))


def test_a_task_of_ones_own_has_the_mean_score() -> None:
    class Squared(RegressionTask):
        pass

    scores = scores_of([Squared("price")])
    torch.testing.assert_close(merged_scores([Squared("price")], scores), scores.mean(dim=1))
