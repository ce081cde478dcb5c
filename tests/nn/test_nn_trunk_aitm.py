from __future__ import annotations

import math
import re

import pytest
import torch

import gatewise as gw
from gatewise.errors import DeclarationError, ShapeError
from gatewise.nn import AITM

TASKS = [gw.Binary("buy"), gw.Binary("click"), gw.Binary("cart")]
SCHEMA = gw.Schema(features=[gw.Numeric("price")], tasks=TASKS)


def test_three_steps_by_hand() -> None:
    """One number wide; the last task of the schema is the first step."""
    x, order = 0.8, (2, 0, 1)
    bottom_w, bottom_b = [0.5, -0.6, 1.4], [0.3, 0.9, -0.2]
    inform_w, inform_b = [0.7, 1.1], [0.2, -0.1]
    maps_w, maps_b = [[0.9, -0.5, 0.4], [1.2, 0.6, 0.8]], [[0.1, 0.3, -0.2], [-0.3, 0.5, 0.1]]

    own = [max(w * x + b, 0.0) for w, b in zip(bottom_w, bottom_b, strict=True)]
    assert min(own) > 0.1
    hidden, shares = {2: own[2]}, {2: [1.0, 0.0]}
    for step, task in enumerate(order[1:]):
        passed = max(inform_w[step] * hidden[order[step]] + inform_b[step], 0.0)
        assert passed > 0.1
        maps = [[w * u + b for w, b in zip(maps_w[step], maps_b[step], strict=True)] for u in (own[task], passed)]
        raised = [math.exp(query * key) for _, query, key in maps]
        shares[task] = [value / sum(raised) for value in raised]
        hidden[task] = sum(share * value for share, (value, _, _) in zip(shares[task], maps, strict=True))

    trunk = AITM(1, 3, order=order, bottom_dims=(1,))
    with torch.no_grad():
        trunk.bottoms.layers[0].weight.copy_(torch.tensor(bottom_w).view(3, 1, 1))
        trunk.bottoms.layers[0].bias.copy_(torch.tensor(bottom_b).view(3, 1))
        for step in range(2):
            trunk.informs[step].layers[0].weight.fill_(inform_w[step])
            trunk.informs[step].layers[0].bias.fill_(inform_b[step])
            trunk.attentions[step].maps.weight.copy_(torch.tensor(maps_w[step]).view(3, 1))
            trunk.attentions[step].maps.bias.copy_(torch.tensor(maps_b[step]))
    given = torch.tensor([[x]])
    assert trunk(given).flatten().tolist() == pytest.approx([hidden[k] for k in range(3)], abs=1e-6)
    for k in range(3):
        assert trunk.transfer(given)[0, k].tolist() == pytest.approx(shares[k], abs=1e-6)


def test_attention_is_scaled_by_the_root_of_the_width() -> None:
    torch.manual_seed(0)
    trunk = AITM(4, 2, order=(0, 1), bottom_dims=(9,))
    x = torch.randn(6, 4)
    layer, inform, maps = trunk.bottoms.layers[0], trunk.informs[0].layers[0], trunk.attentions[0].maps
    own = [(x @ layer.weight[k].T + layer.bias[k]).relu() for k in range(2)]
    passed = (own[0] @ inform.weight[0].T + inform.bias[0]).relu()
    parts = [(u @ maps.weight.T + maps.bias).split(9, dim=1) for u in (own[1], passed)]
    shares = torch.stack([(query * key).sum(dim=1) / 3 for _, query, key in parts], dim=1).softmax(dim=1)
    expected = sum(shares[:, [i]] * parts[i][0] for i in range(2))
    torch.testing.assert_close(trunk(x), torch.stack([own[0], expected], dim=1), atol=1e-6, rtol=1e-5)


def test_steps_pass_on_forwards_alone() -> None:
    torch.manual_seed(0)
    trunk = AITM(4, 3, order=(1, 2, 0), bottom_dims=(3,))
    trunk(torch.randn(8, 4))[:, 2].sum().backward()
    learns = trunk.bottoms.layers[0].weight.grad.abs().amax(dim=(1, 2)) > 0
    assert learns.tolist() == [False, True, True]


@pytest.mark.parametrize("order", [(0, 0), (0,), (1, 2), (0, 1, 2)])
def test_order_names_each_task_once(order: tuple[int, ...]) -> None:
    with pytest.raises(
        ShapeError, match=re.escape(f"order: expected each of the positions 0 to 1 once, found {order}")
    ):
        AITM(4, 2, order=order)


def test_one_task_is_refused() -> None:
    with pytest.raises(ShapeError, match="order: expected two tasks or more to pass something on, found 1"):
        AITM(4, 1, order=(0,))


@pytest.mark.parametrize(
    ("order", "message"),
    [
        (["click", "cart", "bye"], "order: no task 'bye' (tasks: buy, click, cart); did you mean 'buy'?"),
        (["click", "buy"], "order: task 'cart' is missing, and every task is a step of it"),
    ],
)
def test_names_that_do_not_fit_the_schema_are_refused(order: list[str], message: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(message)):
        gw.Ranker(SCHEMA, gw.AITM(order=order))


def test_declared_order_is_needed_and_names_nobody_twice() -> None:
    with pytest.raises(DeclarationError, match=r"AITM\.order: is required"):
        gw.AITM()
    with pytest.raises(DeclarationError, match=r"AITM\.order: 'click' is named twice"):
        gw.AITM(order=["click", "click"])


def test_a_declared_order_reaches_the_trunk() -> None:
    rows = {"price": [1.0, 2.0, 4.0] * 10} | {task.name: [0, 1, 1] * 10 for task in TASKS}
    ranker = gw.Ranker(SCHEMA, gw.AITM(order=["click", "cart", "buy"], bottom_dims=[3]), epochs=1).fit(rows)
    assert ranker.scorer.model.trunk.order == (1, 2, 0)
