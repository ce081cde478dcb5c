from __future__ import annotations

import math
import re

import pytest
import torch
from torch import Tensor

from gatewise.errors import ShapeError
from gatewise.nn import CGC, PLE, MMoE
from gatewise.nn.trunks.ple import Extraction

HIDDEN = 3


def linear(level: Extraction, expert: int, x: Tensor) -> Tensor:
    """One expert of [HIDDEN], by its own matrix."""
    layer = level.experts.experts.mlp.layers[0]
    return (x @ layer.weight[expert].T + layer.bias[expert]).relu()


def by_loops(trunk: PLE, x: Tensor, own: tuple[int, ...], shared: int) -> tuple[Tensor, Tensor]:
    """The model as the paper writes it: unit by unit, expert by expert."""
    starts = [sum(own[:k]) for k in range(len(own) + 1)]
    experts_of = [list(range(starts[k], starts[k] + own[k])) for k in range(len(own))]
    everyone = list(range(sum(own) + shared))
    experts_of.append(everyone[sum(own) :])
    states = [x] * (len(own) + 1)
    gates = torch.zeros(0)
    for number, level in enumerate(trunk.levels):
        outputs = {i: linear(level, i, states[unit]) for unit, ids in enumerate(experts_of) for i in ids}
        new, gates = [], torch.zeros(len(x), len(own), len(everyone))
        for unit in range(len(own) + (number < len(trunk.levels) - 1)):
            seen = experts_of[unit] + experts_of[-1] if unit < len(own) else everyone
            weights = (states[unit] @ level.gates.linear.weight[unit].T)[:, seen].softmax(dim=1)
            new.append(sum(weights[:, [j]] * outputs[i] for j, i in enumerate(seen)))
            if unit < len(own):
                gates[:, unit, seen] = weights
        states = new
    return torch.stack(states, dim=1), gates


@pytest.mark.parametrize("levels", [1, 2, 3])
@pytest.mark.parametrize(("own", "shared"), [((2, 2), 2), ((1, 3), 2), ((3, 0, 1), 4)])
def test_every_unit_by_itself(own: tuple[int, ...], shared: int, levels: int) -> None:
    torch.manual_seed(0)
    trunk = PLE(4, len(own), own_experts=own, shared_experts=shared, expert_dims=(HIDDEN,), levels=levels)
    x = torch.randn(6, 4)
    hidden, gates, penalty = trunk.mix(x)
    expected, expected_gates = by_loops(trunk, x, own, shared)
    torch.testing.assert_close(hidden, expected, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(gates, expected_gates, atol=1e-6, rtol=1e-5)
    assert penalty is None


def test_two_levels_by_hand() -> None:
    """One number wide: two tasks with one expert each and a shared one."""
    x = 0.5
    expert_w, expert_b = [[0.8, -0.6, 1.1], [0.7, 1.3, -0.4]], [[0.1, 0.9, -0.2], [0.2, -0.1, 1.5]]
    gate_w = [
        [[0.3, None, -0.5], [None, 1.2, 0.4], [0.6, -0.9, 0.2]],
        [[0.8, None, 0.1], [None, -0.7, 0.5]],
    ]
    states = [x, x, x]
    for w, b, gates in zip(expert_w, expert_b, gate_w, strict=True):
        outputs = [max(w[i] * states[i] + b[i], 0.0) for i in range(3)]
        assert min(outputs) > 0
        new = []
        for unit, weights in enumerate(gates):
            raised = [0.0 if value is None else math.exp(value * states[unit]) for value in weights]
            new.append(sum(r * o for r, o in zip(raised, outputs, strict=True)) / sum(raised))
        states = new

    trunk = PLE(1, 2, own_experts=1, shared_experts=1, expert_dims=(1,), levels=2)
    with torch.no_grad():
        for level, w, b, gates in zip(trunk.levels, expert_w, expert_b, gate_w, strict=True):
            level.experts.experts.mlp.layers[0].weight.copy_(torch.tensor(w).view(3, 1, 1))
            level.experts.experts.mlp.layers[0].bias.copy_(torch.tensor(b).view(3, 1))
            # what a gate cannot reach may be anything
            filled = [[99.0 if value is None else value for value in row] for row in gates]
            level.gates.linear.weight.copy_(torch.tensor(filled).unsqueeze(2))
    assert trunk(torch.tensor([[x]])).flatten().tolist() == pytest.approx(states, abs=1e-6)


def test_without_own_experts_it_is_mmoe() -> None:
    torch.manual_seed(0)
    trunk, plain = (
        CGC(4, 3, own_experts=0, shared_experts=5, expert_dims=(6, 3)),
        MMoE(4, 3, experts=5, expert_dims=(6, 3)),
    )
    plain.levels[0].experts.load_state_dict(trunk.levels[0].experts.experts.state_dict())
    plain.levels[0].gates.load_state_dict(trunk.levels[0].gates.state_dict())
    x = torch.randn(7, 4)
    for found, expected in zip(trunk.mix(x)[:2], plain.mix(x)[:2], strict=True):
        torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_with_own_experts_gated_off_it_is_mmoe_of_the_shared_ones() -> None:
    torch.manual_seed(0)
    trunk, plain = (
        CGC(5, 2, own_experts=(1, 2), shared_experts=4, expert_dims=(3,)),
        MMoE(5, 2, experts=4, expert_dims=(3,)),
    )
    level = trunk.levels[0]
    with torch.no_grad():
        # the last input is 1, so that its weight is the gates' bias
        level.gates.linear.weight[:, :3] = 0
        level.gates.linear.weight[:, :3, -1] = -1e4
        for own, of in zip(plain.levels[0].experts.parameters(), level.experts.experts.parameters(), strict=True):
            own.copy_(of[3:])
        plain.levels[0].gates.linear.weight.copy_(level.gates.linear.weight[:, 3:])
    x = torch.cat([torch.randn(7, 4), torch.ones(7, 1)], dim=1)
    torch.testing.assert_close(trunk(x), plain(x), atol=1e-6, rtol=0)


@pytest.mark.parametrize("levels", [1, 2])
def test_experts_of_other_tasks_get_no_gradient(levels: int) -> None:
    torch.manual_seed(0)
    trunk = PLE(4, 2, own_experts=(2, 3), shared_experts=1, expert_dims=(HIDDEN,), levels=levels)
    trunk(torch.randn(8, 4))[:, 0].square().sum().backward()
    last = trunk.levels[-1]
    layer = last.experts.experts.mlp.layers[0]
    assert torch.equal(layer.weight.grad[2:5], torch.zeros(3, *layer.weight.shape[1:]))
    assert layer.weight.grad[:2].abs().amax(dim=(1, 2)).min() > 0
    assert layer.weight.grad[5].abs().max() > 0
    assert torch.equal(last.gates.linear.weight.grad[0, 2:5], torch.zeros(3, last.gates.linear.weight.shape[2]))


def test_no_shared_experts_is_no_sharing() -> None:
    torch.manual_seed(0)
    trunk = PLE(4, 2, own_experts=2, shared_experts=0, expert_dims=(HIDDEN,), levels=2)
    x = torch.randn(5, 4, requires_grad=True)
    hidden, gates, _ = trunk.mix(x)
    assert torch.equal(gates[:, 0, 2:], torch.zeros(5, 2))
    assert len(trunk.levels[0].gates.linear.weight) == 2
    hidden[:, 0].sum().backward()
    assert not trunk.levels[0].experts.experts.mlp.layers[0].weight.grad[2:].any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"own_experts": (1, 2, 3)}, "own_experts: expected one number, or 2, one per task, found 3"),
        ({"own_experts": (1, -1)}, "own_experts[1]: expected a whole number from 0, found -1"),
        ({"own_experts": (0, 1), "shared_experts": 0}, "own_experts: task 0 has none, and shared_experts is 0"),
        ({"shared_experts": -1}, "shared_experts: expected a whole number from 0, found -1"),
        ({"levels": 0}, "levels: expected a positive whole number, found 0"),
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ShapeError, match=re.escape(message)):
        PLE(4, 2, expert_dims=(3,), **options)
