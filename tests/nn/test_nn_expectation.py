from __future__ import annotations

import math
import re
from typing import Any

import pytest
import torch

import gatewise as gw
from gatewise.errors import DeclarationError, ShapeError
from gatewise.nn import BehaviouralExpectation

TASKS = [gw.Binary("buy"), gw.Binary("click"), gw.Regression("price_paid")]
SCHEMA = gw.Schema(features=[gw.Numeric("age")], tasks=TASKS)


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_by_hand() -> None:
    scores = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0], [-1.0, -1.5, 3.0]]
    order, expected = (2, 0, 1), 0.0
    for row in scores:
        for before, after in ((2, 0), (0, 1)):
            expected += max(sigmoid(row[after]) - sigmoid(row[before]), 0.0)
    owed = BehaviouralExpectation(order, strength=0.7)(torch.tensor(scores))
    assert owed.item() == pytest.approx(0.7 * expected / 3, abs=1e-6)
    assert expected > 0.5


def test_nothing_is_owed_where_later_steps_are_less_likely() -> None:
    scores = torch.tensor([[1.0, 0.5, -2.0]], requires_grad=True)
    owed = BehaviouralExpectation((0, 1, 2), strength=3.0)(scores)
    owed.backward()
    assert owed.item() == 0
    assert not scores.grad.any()


def test_it_pulls_the_later_down_and_the_earlier_up() -> None:
    scores = torch.tensor([[-1.0, 1.0]], requires_grad=True)
    BehaviouralExpectation((0, 1), strength=1.0)(scores).backward()
    slope = sigmoid(1.0) * (1 - sigmoid(1.0))
    assert scores.grad[0].tolist() == pytest.approx([-slope, slope], abs=1e-6)


def test_no_rows_owe_nothing() -> None:
    assert BehaviouralExpectation((0, 1), strength=1.0)(torch.empty(0, 2)).item() == 0


def test_one_task_has_no_order() -> None:
    with pytest.raises(ShapeError, match="order: expected two tasks or more, found 1"):
        BehaviouralExpectation((0,), strength=1.0)


def rows() -> dict[str, Any]:
    """Buys that are as frequent as clicks, so that half of all rows would break the order."""
    generator = torch.Generator().manual_seed(0)
    age = torch.randn(400, generator=generator)
    labels = {name: (torch.rand(400, generator=generator) < 0.5).int().tolist() for name in ("buy", "click")}
    return {"age": age.tolist(), **labels, "price_paid": age.tolist()}


@pytest.mark.parametrize("kind", [gw.MMoE, gw.SharedBottom, gw.PLE])
def test_any_architecture_keeps_the_order_when_told_to(kind: type) -> None:
    def excess(strength: float) -> float:
        model = kind(ordered=["click", "buy"], expectation=strength)
        found = gw.Ranker(SCHEMA, model, epochs=8, batch_size=50, lr=1e-2).fit(rows()).predict(rows())
        return float((torch.tensor(found["buy"].to_numpy()) - torch.tensor(found["click"].to_numpy())).relu().mean())

    assert excess(0.0) > 3 * excess(5.0)


def test_aitm_takes_its_order() -> None:
    schema = gw.Schema(features=SCHEMA.features, tasks=TASKS[:2])
    ranker = gw.Ranker(schema, gw.AITM(order=["click", "buy"], expectation=0.5), epochs=1)
    ranker.fit({"age": [1.0, 2.0] * 5, "buy": [0, 1] * 5, "click": [1, 0] * 5})
    assert ranker.scorer.model.expectation.order == [1, 0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"expectation": 1.0}, "expectation: needs two ordered tasks or more in 'ordered', found 0"),
        (
            {"expectation": 1.0, "ordered": ["buy"]},
            "expectation: needs two ordered tasks or more in 'ordered', found 1",
        ),
        (
            {"ordered": ["clik", "buy"]},
            "ordered: no task 'clik' (tasks: buy, click, price_paid); did you mean 'click'?",
        ),
        (
            {"expectation": 1.0, "ordered": ["click", "price_paid"]},
            "expectation: compares probabilities, and task 'price_paid' is regression",
        ),
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(message)):
        gw.Ranker(SCHEMA, gw.MMoE(**options))
