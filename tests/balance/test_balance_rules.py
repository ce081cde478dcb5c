from __future__ import annotations

import math

import pytest
import torch

from gatewise.balance import Static, Uncertainty

FACTORS = [1.0, 0.5]  # a classification, a squared error
LOSSES = [0.7, 3.0]
STARTS = [0.4, -0.3]


def rule_at(log_variances: list[float]) -> Uncertainty:
    rule = Uncertainty(FACTORS)
    with torch.no_grad():
        rule.log_variances.copy_(torch.tensor(log_variances))
    return rule


def test_static_weighs_every_task_one() -> None:
    rule, losses = Static(), torch.tensor([3.0, 0.0, math.inf])
    assert rule(losses).tolist() == [1, 1, 1]
    assert rule.penalty(losses) is None
    assert list(rule.parameters()) == []


def test_uncertainty_by_hand() -> None:
    rule, losses = rule_at(STARTS), torch.tensor(LOSSES)
    assert rule(losses).tolist() == pytest.approx([math.exp(-0.4), 0.5 * math.exp(0.3)], rel=1e-6)
    assert rule.penalty(losses).tolist() == pytest.approx([0.2, -0.15], rel=1e-6)
    objective = (rule(losses) * losses + rule.penalty(losses)).sum().item()
    assert objective == pytest.approx(math.exp(-0.4) * 0.7 + 0.2 + 0.5 * math.exp(0.3) * 3 - 0.15, rel=1e-6)


def test_uncertainty_in_the_form_of_sigma() -> None:
    """L / sigma^2 + ln sigma for a classification, L / (2 sigma^2) + ln sigma for a squared error."""
    rule, losses = rule_at(STARTS), torch.tensor(LOSSES)
    terms = (rule(losses) * losses + rule.penalty(losses)).tolist()
    sigmas = [math.exp(s / 2) for s in STARTS]
    assert terms == pytest.approx(
        [LOSSES[0] / sigmas[0] ** 2 + math.log(sigmas[0]), LOSSES[1] / (2 * sigmas[1] ** 2) + math.log(sigmas[1])],
        rel=1e-6,
    )


def test_gradient_of_the_log_variances() -> None:
    rule, losses = rule_at(STARTS), torch.tensor(LOSSES)
    (rule(losses) * losses + rule.penalty(losses)).sum().backward()
    closed = [-c * math.exp(-s) * loss + 0.5 for c, s, loss in zip(FACTORS, STARTS, LOSSES, strict=True)]
    assert rule.log_variances.grad.tolist() == pytest.approx(closed, rel=1e-5)


def test_gradient_descent_reaches_the_optimum() -> None:
    rule, losses = Uncertainty(FACTORS, initial_log_variance=-1.0), torch.tensor(LOSSES)
    optimizer = torch.optim.SGD(rule.parameters(), lr=0.3)
    for _ in range(200):
        optimizer.zero_grad()
        (rule(losses) * losses + rule.penalty(losses)).sum().backward()
        optimizer.step()
    expected = [2 * c * loss for c, loss in zip(FACTORS, LOSSES, strict=True)]
    assert rule.log_variances.exp().tolist() == pytest.approx(expected, rel=1e-4)


def test_start_and_state() -> None:
    rule = Uncertainty(FACTORS, initial_log_variance=0.25)
    assert rule.log_variances.tolist() == [0.25, 0.25]
    assert list(rule.state_dict()) == ["log_variances"]
    assert rule.penalty(torch.zeros(2)).tolist() == [0.125, 0.125]
