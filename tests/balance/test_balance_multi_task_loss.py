"""Balancing rules in a loop of one's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gatewise.balance import (
    DWA,
    FAMO,
    IMTLL,
    MGDA,
    RLW,
    GeometricMean,
    MultiTaskLoss,
    SmoothTchebycheff,
    SoftUncertainty,
    Static,
    Uncertainty,
)
from gatewise.errors import ShapeError, TrainingError

X = torch.linspace(-1, 1, 30).view(10, 3)
LABELS = torch.stack([X.sum(dim=1), 3 * X[:, 0]], dim=1)


def errors(model: nn.Module) -> Tensor:
    return (model(X) - LABELS).square().mean(dim=0)


def test_the_default_is_the_likelihood_of_learnt_variances() -> None:
    balance = MultiTaskLoss(2)
    balance.rule.log_variances.data = torch.tensor([0.5, -1.0])
    losses = torch.tensor([2.0, 3.0], requires_grad=True)
    loss, weights = balance(losses)
    precision = torch.exp(torch.tensor([-0.5, 1.0]))
    torch.testing.assert_close(weights, precision)
    loss.backward()
    torch.testing.assert_close(losses.grad, precision)
    torch.testing.assert_close(balance.rule.log_variances.grad, 0.5 - precision * torch.tensor([2.0, 3.0]))


@pytest.mark.parametrize(
    "rule",
    [
        Static([1.0, 2.0]),
        Uncertainty([0.5, 0.5]),
        SoftUncertainty(),
        DWA(2),
        RLW(2),
        GeometricMean(),
        IMTLL(2),
        SmoothTchebycheff(),
        FAMO(2),
    ],
    ids=lambda rule: type(rule).__name__,
)
def test_a_plain_loop_learns_both_tasks(rule: nn.Module) -> None:
    torch.manual_seed(0)
    model, balance = nn.Linear(3, 2), MultiTaskLoss(2, rule)
    optimizer = torch.optim.Adam([*model.parameters(), *balance.parameters()], lr=0.05)
    before = errors(model).detach()
    for _ in range(20):
        for _ in range(10):
            loss, weights = balance({"sum": errors(model)[0], "first": errors(model)[1]})
            assert weights.shape == (2,)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                balance.after_step(errors(model))
        balance.after_epoch()
    assert (errors(model) < 0.5 * before).all()


def test_dwa_sees_the_mean_losses_of_epochs() -> None:
    balance, by_hand = MultiTaskLoss(2, DWA(2)), DWA(2)
    for losses in ([[4.0, 1.0], [2.0, 1.0]], [[1.0, 1.0], [1.0, 3.0]]):
        for step in losses:
            balance(torch.tensor(step))
        balance.after_epoch()
        by_hand.after_epoch(torch.tensor(losses).mean(dim=0))
    assert torch.equal(balance.rule.means, by_hand.means)


def test_a_task_without_a_row_counts_nothing() -> None:
    balance = MultiTaskLoss(2)
    one = torch.tensor(3.0, requires_grad=True)
    loss, weights = balance([one, None])
    loss.backward()
    assert weights.tolist() == [1.0, 0.0]
    assert balance.rule.log_variances.grad.tolist()[1] == 0.0
    balance.after_epoch()


def test_judging_changes_nothing() -> None:
    balance = MultiTaskLoss(2, FAMO(2)).eval()
    before = {name: value.clone() for name, value in balance.state_dict().items()}
    for _ in range(2):
        balance(torch.tensor([1.0, 2.0]))
    assert all(torch.equal(before[name], value) for name, value in balance.state_dict().items())


def test_what_cannot_work_is_refused() -> None:
    with pytest.raises(
        ShapeError, match="rule: MGDA needs the gradient of every task; take a rule that needs losses only"
    ):
        MultiTaskLoss(2, MGDA())
    with pytest.raises(ShapeError, match="losses: expected 2, one per task, found 3"):
        MultiTaskLoss(2)(torch.ones(3))
    forgetful = MultiTaskLoss(2, FAMO(2))
    forgetful(torch.ones(2))
    with pytest.raises(TrainingError, match=r"FAMO: call after_step\(losses\) after every optimiser step"):
        forgetful(torch.ones(2))
