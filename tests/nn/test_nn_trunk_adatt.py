from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gatewise.nn import AdaTT, MMoE


def by_loops(trunk: AdaTT, x: Tensor, own: tuple[int, ...], shared: int) -> tuple[Tensor, Tensor]:
    """The model as the paper writes it: unit by unit, expert by expert."""
    units, first = [], 0
    for count in (*own, *([shared] if shared else [])):
        units.append(list(range(first, first + count)))
        first += count
    states, gates = [x] * len(units), torch.zeros(0)
    for number, level in enumerate(trunk.levels):
        layer = level.experts.experts.mlp.layers[0]
        outputs = {
            i: (states[unit] @ layer.weight[i].T + layer.bias[i]).relu() for unit, ids in enumerate(units) for i in ids
        }
        new, found = [], []
        for unit in range(len(units) if number < len(trunk.levels) - 1 else len(own)):
            found.append((states[unit] @ level.gates.linear.weight[unit].T).softmax(dim=1))
            fused = sum(found[-1][:, [i]] * outputs[i] for i in range(first))
            new.append(fused + sum(level.native[i] * outputs[i] for i in units[unit]))
        states, gates = new, torch.stack(found, dim=1)
    return torch.stack(states, dim=1), gates


@pytest.mark.parametrize("levels", [1, 2, 3])
@pytest.mark.parametrize(("own", "shared"), [((2, 2), 0), ((1, 3), 2), ((1, 1, 2), 1)])
def test_every_unit_by_itself(own: tuple[int, ...], shared: int, levels: int) -> None:
    torch.manual_seed(0)
    trunk = AdaTT(4, len(own), own_experts=own, shared_experts=shared, expert_dims=(3,), levels=levels)
    with torch.no_grad():
        for level in trunk.levels:
            level.native.normal_()
    x = torch.randn(6, 4)
    hidden, gates, _ = trunk.mix(x)
    expected, expected_gates = by_loops(trunk, x, own, shared)
    torch.testing.assert_close(hidden, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(gates, expected_gates, atol=1e-6, rtol=0)


def test_a_task_starts_with_the_mean_of_its_own_experts_beside_the_gate() -> None:
    trunk = AdaTT(4, 2, own_experts=(1, 4), shared_experts=2, expert_dims=(3,), levels=1)
    assert trunk.levels[0].native.tolist() == [1, *[0.25] * 4, *[0.5] * 2]


def test_without_the_residual_it_is_mmoe_over_all_experts() -> None:
    torch.manual_seed(0)
    trunk, plain = (
        AdaTT(4, 2, own_experts=(1, 2), shared_experts=2, expert_dims=(6, 3), levels=1),
        MMoE(4, 2, experts=5, expert_dims=(6, 3)),
    )
    plain.levels[0].experts.load_state_dict(trunk.levels[0].experts.experts.state_dict())
    plain.levels[0].gates.load_state_dict(trunk.levels[0].gates.state_dict())
    x = torch.randn(7, 4)
    assert (trunk(x) - plain(x)).abs().max() > 0.01
    with torch.no_grad():
        trunk.levels[0].native.zero_()
    torch.testing.assert_close(trunk(x), plain(x), atol=1e-6, rtol=0)


def test_native_weights_learn_from_their_own_task_alone() -> None:
    torch.manual_seed(0)
    trunk = AdaTT(4, 2, own_experts=2, shared_experts=1, expert_dims=(3,), levels=1)
    trunk(torch.randn(9, 4))[:, 1].sum().backward()
    assert (trunk.levels[0].native.grad != 0).tolist() == [False, False, True, True, False]
