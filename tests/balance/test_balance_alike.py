"""What all rules have in common."""

from __future__ import annotations

import copy
import math
from dataclasses import fields
from inspect import Parameter, signature
from typing import get_args

import pytest
import torch
from torch import Tensor

from gatewise import balance, declare
from gatewise.assembly import build_balance
from gatewise.assembly.model import STATEFUL, STATELESS
from gatewise.balance import BalanceRule, StepLosses
from gatewise.tasks import BinaryTask

DECLARED = {cls().kind: cls for cls in get_args(get_args(declare.AnyBalance)[0])}
KINDS = [kind for kind in DECLARED if kind != "tuned_static"]
# of these the unit of a loss decides, as their papers say; static, DWA and the like do not look at it
SCALE_FREE = ["geometric_mean", "db_mtl", "imtl_g", "nash_mtl", "fairgrad"]
SIGNED = ["imtl_g", "aligned_mtl"]
AT_RANDOM = ["rlw", "pcgrad"]


def make(kind: str, tasks: int = 3) -> BalanceRule:
    return build_balance(DECLARED[kind](), [BinaryTask(f"task{k}") for k in range(tasks)])


def drawn(tasks: int = 3, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Return losses and gradients, some of which are in conflict."""
    draw = torch.Generator().manual_seed(seed)
    return torch.rand(tasks, generator=draw) + 0.2, torch.randn(tasks, 4, generator=draw)


def see(losses: Tensor, gradients: Tensor, present: Tensor | None = None) -> StepLosses:
    there = torch.ones(len(losses), dtype=torch.bool) if present is None else present
    losses = torch.where(there, losses, 0.0)
    gradients = gradients * there.unsqueeze(1)
    return StepLosses(there, losses, gradients @ gradients.T)


def taught(rule: BalanceRule, order: list[int] | None = None, steps: int = 4, tasks: int = 3) -> BalanceRule:
    """Let a rule see some steps and epochs, of tasks in an order."""
    order = order or list(range(tasks))
    for seed in range(1, steps + 1):
        losses, gradients = drawn(tasks, seed=seed)
        seen = see(losses[order], gradients[order])
        rule(seen)
        if rule.needs_outcome:
            rule.after_step(seen, losses[order] * torch.linspace(0.8, 1.0, tasks)[order])
        rule.after_epoch(losses[order])
        own = rule.own_loss(losses[order])
        if own is not None:
            gradient = torch.autograd.grad(own.sum(), list(rule.parameters()))
            with torch.no_grad():
                for parameter, slope in zip(rule.parameters(), gradient, strict=True):
                    parameter -= 0.1 * slope
    return rule


@pytest.mark.parametrize("kind", KINDS)
def test_weights_are_finite_and_without_gradient(kind: str) -> None:
    rule = taught(make(kind))
    for seed in range(20, 26):
        weights = rule(see(*drawn(seed=seed)))
        assert weights.shape == (3,)
        assert weights.dtype == torch.float32
        assert not weights.requires_grad
        assert bool(weights.isfinite().all())
        assert kind in SIGNED or float(weights.min()) >= 0
        assert bool(weights.any())


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in AT_RANDOM])
@pytest.mark.parametrize("order", [[2, 0, 1], [1, 0, 2]])
def test_the_order_of_the_tasks_does_not_matter(kind: str, order: list[int]) -> None:
    if kind == "metabalance":
        options = {"relax": 0.5}
        rules = [balance.MetaBalance(3, target=target, **options) for target in (0, order.index(0))]
    else:
        rules = [make(kind), make(kind)]
    losses, gradients = drawn()
    found = taught(rules[0])(see(losses, gradients))
    turned = taught(rules[1], order)(see(losses[order], gradients[order]))
    torch.testing.assert_close(turned, found[order], atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_a_task_without_rows_changes_nothing_for_the_others(kind: str) -> None:
    """What the others get, and what is known of it, is as if it were not there."""
    rule = taught(make(kind))
    losses, gradients = drawn(seed=30)
    there = torch.tensor([True, False, True])
    before = copy.deepcopy(rule.state_dict())
    torch.manual_seed(0)
    found = rule(see(losses, gradients, there))
    assert bool(found.isfinite().all())
    if rule.needs_outcome:
        rule.after_step(see(losses, gradients, there), torch.tensor([0.1, 0.0, 0.3]))
    after = rule.state_dict()
    rule.load_state_dict(before)
    # whatever its loss and gradient would be
    other = see(losses, gradients, there)._replace(losses=torch.where(there, losses, 7.0))
    torch.manual_seed(0)
    torch.testing.assert_close(rule(other)[there], found[there])
    if kind in ("metabalance", "db_mtl"):
        assert after["sizes"][1] == before["sizes"][1]
    if kind == "gradnorm":
        assert after["weights"][1] / before["weights"][1] == pytest.approx(1, abs=0.05)
    if kind not in (*AT_RANDOM, "gradnorm", "metabalance", "db_mtl", "famo", "dwa") and not list(rule.parameters()):
        # rules without memory: the same two tasks alone get the same
        pair = make(kind, 2)(see(losses[there], gradients[there]))
        torch.testing.assert_close(found[there], pair, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_without_any_row(kind: str) -> None:
    for rule in (make(kind), taught(make(kind))):
        nobody = torch.zeros(3, dtype=torch.bool)
        assert bool(rule(see(*drawn(), nobody)).isfinite().all())
        if rule.needs_outcome:
            rule.after_step(see(*drawn(), nobody), torch.zeros(3))
        assert all(bool(value.isfinite().all() | value.isnan().any()) for value in rule.state_dict().values())
        assert bool(rule(see(*drawn())).isfinite().all())


@pytest.mark.parametrize("kind", KINDS)
def test_one_task_alone(kind: str) -> None:
    rule = taught(make(kind, 1), tasks=1)
    weights = rule(see(*drawn(1)))
    assert weights.shape == (1,)
    assert float(weights) > 0
    assert math.isfinite(float(weights))


@pytest.mark.parametrize("kind", KINDS)
def test_a_gradient_of_zero_and_equal_gradients(kind: str) -> None:
    losses, gradients = drawn()
    for changed in (gradients * torch.tensor([[1.0], [0.0], [1.0]]), gradients[[0, 0, 0]], gradients[[0, 0, 2]]):
        rule = make(kind)
        for _ in range(2):
            weights = rule(see(losses, changed))
            assert bool(weights.isfinite().all())
            assert float(weights.abs().max()) < 1e3
    opposed = torch.stack([gradients[0], -gradients[0], gradients[1]])
    assert bool(make(kind)(see(losses, opposed)).isfinite().all())


@pytest.mark.parametrize("kind", SCALE_FREE)
def test_the_unit_of_a_loss_does_not_matter(kind: str) -> None:
    """The update's direction stays when one loss is measured in another unit."""
    losses, gradients = drawn(seed=2)
    unit = torch.tensor([1.0, 50.0, 1.0])
    updates = [
        make(kind)(see(losses * factor, gradients * factor.unsqueeze(1))) @ (gradients * factor.unsqueeze(1))
        for factor in (torch.ones(3), unit)
    ]
    first, second = (update / update.norm() for update in updates)
    if kind == "fairgrad":
        # at alpha = 2 nearly, and exactly where it is Nash's
        rule = balance.FairGrad(alpha=1.0)
        updates = [
            rule(see(losses, gradients * factor.unsqueeze(1))) @ (gradients * factor.unsqueeze(1))
            for factor in (torch.ones(3), unit)
        ]
        first, second = (update / update.norm() for update in updates)
    torch.testing.assert_close(first, second, atol=2e-3, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_state_is_all_that_a_rule_remembers(kind: str) -> None:
    rule = taught(make(kind))
    other = make(kind)
    other.load_state_dict(copy.deepcopy(rule.state_dict()))
    for seed in (40, 41):
        torch.manual_seed(seed)
        found = rule(see(*drawn(seed=seed)))
        torch.manual_seed(seed)
        assert torch.equal(other(see(*drawn(seed=seed))), found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_asks_for_what_it_uses(kind: str) -> None:
    """What it does not ask for can be anything."""
    found = []
    for scale in (1.0, 3.0):
        rule = make(kind)
        losses, gradients = drawn()
        losses = losses * (scale if rule.needs == "nothing" else 1.0)
        seen = see(losses, gradients)
        seen = seen if rule.needs == "gramian" else seen._replace(gramian=None)
        torch.manual_seed(0)
        found.append(rule(seen))
    assert torch.equal(*found)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("static", "uncertainty")])
def test_declared_options_are_those_of_the_rule(kind: str) -> None:
    declared = {field.name: field.default for field in fields(DECLARED[kind]) if field.name != "kind"}
    made: type[BalanceRule] = (STATEFUL | STATELESS)[DECLARED[kind]]
    given = signature(made).parameters.values()
    options = {option.name: option.default for option in given if option.kind == Parameter.KEYWORD_ONLY}
    if kind == "metabalance":
        # the first task, by name or by position
        assert (declared.pop("target"), options.pop("target")) == (None, 0)
    assert options == declared
