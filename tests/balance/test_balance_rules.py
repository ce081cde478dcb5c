"""Every rule of our own on a case by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gatewise.balance import (
    DWA,
    FAMO,
    IMTLL,
    RLW,
    ConstrainedUncertainty,
    DBMTLBalance,
    GeometricMean,
    GradNorm,
    MetaBalance,
    NashMTL,
    SmoothTchebycheff,
    SoftUncertainty,
    Static,
    StepLosses,
    Uncertainty,
)
from gatewise.balance.nash_mtl import bargain

FACTORS = [1.0, 0.5]  # a classification, a squared error
LOSSES = [0.7, 3.0]
STARTS = [0.4, -0.3]


def see(losses: list[float], gramian: list[list[float]] | None = None, present: list[bool] | None = None) -> StepLosses:
    there = torch.tensor(present or [True] * len(losses))
    return StepLosses(there, torch.tensor(losses), None if gramian is None else torch.tensor(gramian))


def squares(*norms: float) -> list[list[float]]:
    """Return the Gramian of orthogonal gradients."""
    return torch.diag(torch.tensor(norms).square()).tolist()


def near(expected: list[float], rel: float = 1e-5) -> object:
    return pytest.approx(expected, rel=rel)


def rule_at(log_variances: list[float]) -> Uncertainty:
    rule = Uncertainty(FACTORS)
    with torch.no_grad():
        rule.log_variances.copy_(torch.tensor(log_variances))
    return rule


# Losses


def test_static_weighs_every_task_one_or_as_given() -> None:
    assert Static()(see([3.0, 0.0, math.inf])).tolist() == [1, 1, 1]
    assert Static([0.5, 2.0])(see([3.0, 0.0])).tolist() == [0.5, 2.0]
    assert Static().own_loss(torch.zeros(2)) is None
    assert list(Static().parameters()) == []


def test_uncertainty_by_hand() -> None:
    rule, losses = rule_at(STARTS), torch.tensor(LOSSES)
    assert rule(see(LOSSES)).tolist() == near([math.exp(-0.4), 0.5 * math.exp(0.3)])
    assert rule.own_loss(losses).tolist() == near([math.exp(-0.4) * 0.7 + 0.2, 0.5 * math.exp(0.3) * 3 - 0.15])


def test_uncertainty_in_the_form_of_sigma() -> None:
    """L / sigma^2 + ln sigma for a classification, L / (2 sigma^2) + ln sigma for a squared error."""
    sigmas = [math.exp(s / 2) for s in STARTS]
    assert rule_at(STARTS).own_loss(torch.tensor(LOSSES)).tolist() == near(
        [LOSSES[0] / sigmas[0] ** 2 + math.log(sigmas[0]), LOSSES[1] / (2 * sigmas[1] ** 2) + math.log(sigmas[1])]
    )


def test_gradient_of_the_log_variances() -> None:
    rule = rule_at(STARTS)
    rule.own_loss(torch.tensor(LOSSES)).sum().backward()
    closed = [-c * math.exp(-s) * loss + 0.5 for c, s, loss in zip(FACTORS, STARTS, LOSSES, strict=True)]
    assert rule.log_variances.grad.tolist() == near(closed)


def descend(rule: Uncertainty | ConstrainedUncertainty | IMTLL) -> Tensor:
    """Return the weights where the rule's own loss is smallest."""
    optimizer = torch.optim.SGD(rule.parameters(), lr=0.3)
    for _ in range(300):
        optimizer.zero_grad()
        rule.own_loss(torch.tensor(LOSSES)).sum().backward()
        optimizer.step()
    return rule(see(LOSSES))


def test_what_learnt_weights_come_to() -> None:
    """Uncertainty: e^s = 2 c L. IMTL-L: every weighted loss is 1. Constrained: all are equal, of product 1."""
    rule = Uncertainty(FACTORS, initial_log_variance=-1.0)
    descend(rule)
    assert rule.log_variances.exp().tolist() == near([2 * c * loss for c, loss in zip(FACTORS, LOSSES, strict=True)])
    assert descend(IMTLL(2)).tolist() == near([1 / 0.7, 1 / 3])
    equal = math.sqrt(0.7 * 3)
    assert descend(ConstrainedUncertainty(2)).tolist() == near([equal / 0.7, equal / 3], rel=1e-4)


def test_start_and_state_of_uncertainty() -> None:
    rule = Uncertainty(FACTORS, initial_log_variance=0.25)
    assert rule.log_variances.tolist() == [0.25, 0.25]
    assert list(rule.state_dict()) == ["log_variances"]
    assert rule.own_loss(torch.zeros(2)).tolist() == [0.125, 0.125]


def test_soft_uncertainty_by_hand() -> None:
    shares = [math.exp(1 / (2 * loss)) for loss in (0.5, 2.0)]
    found = SoftUncertainty(temperature=2.0)(see([0.5, 2.0]))
    assert found.tolist() == near([share / sum(shares) for share in shares])
    # a loss of next to nothing does not overflow
    assert SoftUncertainty()(see([1e-30, 2.0])).tolist() == near([1.0, 0.0])


def test_dwa_by_hand() -> None:
    rule = DWA(3, temperature=2.0)
    assert rule(see([1.0, 1.0, 1.0])).tolist() == near([1, 1, 1])
    rule.after_epoch(torch.tensor([2.0, 4.0, math.nan]))
    assert rule(see([1.0, 1.0, 1.0])).tolist() == near([1, 1, 1])
    rule.after_epoch(torch.tensor([1.0, 3.0, 5.0]))
    # the third had no row in the first epoch: 1
    shares = [math.exp(rate / 2) for rate in (0.5, 0.75, 1.0)]
    assert rule(see([9.0, 9.0, 9.0])).tolist() == near([3 * share / sum(shares) for share in shares])
    rule.after_epoch(torch.tensor([1.0, 1.5, 5.0]))
    shares = [math.exp(rate / 2) for rate in (1.0, 0.5, 1.0)]
    assert rule(see([9.0, 9.0, 9.0])).tolist() == near([3 * share / sum(shares) for share in shares])


def test_rlw_is_the_softmax_of_a_normal_draw() -> None:
    rule = RLW(3)
    torch.manual_seed(4)
    first, second = rule(see([1.0, 2.0, 3.0])), rule(see([1.0, 2.0, 3.0]))
    torch.manual_seed(4)
    assert torch.equal(first, 3 * torch.randn(3).softmax(dim=0))
    assert not torch.equal(first, second)


def test_geometric_mean_is_its_derivative() -> None:
    losses = torch.tensor([0.3, 1.2, 5.0], requires_grad=True)
    losses.prod().pow(1 / 3).backward()
    assert GeometricMean()(see(losses.tolist())).tolist() == near(losses.grad.tolist())
    losses = torch.tensor([0.3, 5.0], requires_grad=True)
    losses.prod().sqrt().backward()
    found = GeometricMean()(see([0.3, 0.0, 5.0], present=[True, False, True]))
    assert found[[0, 2]].tolist() == near(losses.grad.tolist())


def test_smooth_tchebycheff_is_its_derivative() -> None:
    losses = torch.tensor([0.3, 1.2, 5.0], requires_grad=True)
    (0.7 * (losses / 0.7).logsumexp(dim=0)).backward()
    assert SmoothTchebycheff(mu=0.7)(see(losses.tolist())).tolist() == near(losses.grad.tolist())
    assert SmoothTchebycheff(mu=1e-3)(see([0.3, 5.0])).tolist() == [0, 1]


def test_famo_by_hand() -> None:
    rule, before, after = FAMO(2, lr=0.1, decay=0.01), torch.tensor([1.0, 3.0]), torch.tensor([0.5, 2.9])
    with torch.no_grad():
        rule.logits.copy_(torch.tensor([0.2, -0.1]))
    logits = torch.tensor([0.2, -0.1], requires_grad=True)
    shares = logits.softmax(dim=0)
    assert rule(see(before.tolist())).tolist() == near((shares / before / (shares / before).sum()).tolist())
    # two steps of torch's Adam on <softmax, fall of the logarithm>
    optimizer = torch.optim.Adam([logits], lr=0.1, weight_decay=0.01)
    for _ in range(2):
        optimizer.zero_grad()
        (logits.softmax(dim=0) * (before.log() - after.log())).sum().backward()
        optimizer.step()
        rule.after_step(see(before.tolist()), after)
    assert rule.logits.tolist() == pytest.approx(logits.tolist(), abs=1e-5)
    # the loss that fell less counts more
    assert rule.logits[1] > -0.1
    assert rule.logits[0] < 0.2


# Sizes of gradients


def test_gradnorm_by_hand() -> None:
    rule = GradNorm(2, alpha=0.5, lr=0.1)
    assert rule(see([2.0, 4.0], squares(3.0, 1.0))).tolist() == [1, 1]
    # sizes 3 and 1, mean 2, both rates 1: the first is too large, the second too small; slopes 3 and -1, over mean 2
    moved = [1 - 0.1 * 3 / 2, 1 + 0.1 * 1 / 2]
    expected = [2 * weight / sum(moved) for weight in moved]
    assert rule.weights.tolist() == near(expected)
    # then the first has halved its loss and the second has not moved: rates 1/2 and 1 over their mean
    rates = [0.5 / 0.75, 1 / 0.75]
    sizes = [expected[0] * 1.0, expected[1] * 2.0]
    wanted = [sum(sizes) / 2 * rate**0.5 for rate in rates]
    slopes = [math.copysign(norm, size - want) for norm, size, want in zip((1.0, 2.0), sizes, wanted, strict=True)]
    moved = [weight - 0.1 * slope / 1.5 for weight, slope in zip(expected, slopes, strict=True)]
    assert rule(see([1.0, 4.0], squares(1.0, 2.0))).tolist() == near(expected)
    assert rule.weights.tolist() == near([2 * weight / sum(moved) for weight in moved])


def test_gradnorm_descends_its_loss() -> None:
    """The step is that of autograd on the sum of |G_k - wanted|, over the mean norm."""
    norms, losses = torch.tensor([3.0, 1.0, 0.5]), torch.tensor([0.5, 1.0, 2.0])
    rule = GradNorm(3, alpha=1.5, lr=0.01)
    rule(see([1.0, 1.0, 1.0], squares(1.0, 1.0, 1.0)))
    weights = rule.weights.clone().requires_grad_()
    sizes = weights * norms
    rates = losses / losses.mean()
    (sizes - (sizes.mean() * rates.pow(1.5)).detach()).abs().sum().backward()
    moved = weights.detach() - 0.01 * weights.grad / norms.mean()
    rule(see(losses.tolist(), squares(*norms.tolist())))
    assert rule.weights.tolist() == near((3 * moved / moved.sum()).tolist())


def test_gradnorm_brings_gradients_to_one_size() -> None:
    rule = GradNorm(2, alpha=0.0, lr=0.01)
    for _ in range(300):
        weights = rule(see([1.0, 1.0], squares(8.0, 2.0)))
    assert weights.tolist() == pytest.approx([0.4, 1.6], abs=0.03)


@pytest.mark.parametrize(
    ("strategy", "ratios"), [("both", [1.0, 4.0, 0.25]), ("down", [1.0, 1.0, 0.25]), ("up", [1.0, 4.0, 1.0])]
)
def test_metabalance_by_hand(strategy: str, ratios: list[float]) -> None:
    rule = MetaBalance(3, target=0, relax=0.7, strategy=strategy)
    found = rule(see([1.0, 1.0, 1.0], squares(2.0, 0.5, 8.0)))
    assert found.tolist() == near([0.7 * ratio + 0.3 for ratio in ratios])


def test_metabalance_remembers_sizes() -> None:
    rule = MetaBalance(2, target=1, relax=1.0, beta=0.9)
    rule(see([1.0, 1.0], squares(2.0, 1.0)))
    # 0.9 * 2 + 0.1 * 4, and 0.9 * 1 + 0.1 * 3
    assert rule(see([1.0, 1.0], squares(4.0, 3.0))).tolist() == near([1.2 / 2.2, 1.0])


def test_db_mtl_by_hand() -> None:
    rule = DBMTLBalance(2, beta=0.5)
    # of logarithms: 2 / 0.5 = 4 and 3 / 3 = 1
    assert rule(see([0.5, 3.0], squares(2.0, 3.0))).tolist() == near([1 / 0.5, 4 / 3])
    # then 1 / 0.5 = 2 and 3 / 1 = 3, averaged to 3 and 2
    assert rule(see([0.5, 1.0], squares(1.0, 3.0))).tolist() == near([1 / 0.5, 3 / 2])


# Directions


def test_nash_mtl_solves_its_equation() -> None:
    draw = torch.Generator().manual_seed(0)
    for tasks in (1, 2, 5, 12):
        gradients = torch.randn(tasks, 30, generator=draw, dtype=torch.float64)
        gradients *= 10 ** torch.randn(tasks, 1, generator=draw, dtype=torch.float64)
        gramian = gradients @ gradients.T
        alpha = bargain(gramian)
        assert bool((alpha > 0).all())
        torch.testing.assert_close(gramian @ alpha * alpha, torch.ones_like(alpha), atol=1e-8, rtol=0)


def test_nash_mtl_of_two_tasks_is_known() -> None:
    """Of two gradients it is inverse to their lengths, whatever the angle."""
    gramian = torch.tensor([[4.0, -1.2], [-1.2, 1.0]])
    found = NashMTL()(StepLosses(torch.tensor([True, True]), torch.ones(2), gramian))
    assert found.tolist() == near([2 / 3, 4 / 3], rel=1e-4)
    opposed = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
    assert NashMTL()(StepLosses(torch.tensor([True, True]), torch.ones(2), opposed)).tolist() == near([1.0, 1.0])
