from __future__ import annotations

import math
import re
from functools import partial

import pytest
import torch
from torch import Tensor

from gatewise.errors import ShapeError
from gatewise.nn import PLE, Hidden, HoME, TopKGates
from gatewise.nn.experts.feature_gate import FeatureGatedExperts, FeatureGates
from gatewise.nn.gates.self_gates import SelfGates
from gatewise.nn.layers import GroupLinear, GroupNorm
from gatewise.nn.trunks.home import GroupedMixture

WIDTH, HIDDEN = 4, 3
GROUPS = [((0, 2), (1,)), ((0, 1, 2),), ((0,), (1,), (2,)), ((2,), (1, 0))]


def one_expert(level: GroupedMixture, i: int, x: Tensor) -> Tensor:
    """Feature gate, linear maps, normalisation over the batch and Swish of one expert, by its own matrices."""
    gates = level.experts.feature_gates
    x = x * 2 * torch.sigmoid(x @ gates.down.weight[i].T @ gates.up.weight[i].T)
    layers = list(level.experts.experts.mlp.layers)
    for linear, following in zip(layers, [*layers[1:], None], strict=True):
        if isinstance(linear, GroupLinear):
            x = x @ linear.weight[i].T + linear.bias[i]
            if isinstance(following, GroupNorm):
                scale, shift = (of.view(-1, x.shape[1])[i] for of in (following.batch.weight, following.batch.bias))
                x = (x - x.mean(dim=0)) / (x.var(dim=0, correction=0) + following.batch.eps).sqrt() * scale + shift
            x = x * torch.sigmoid(x)
    return x


def own_weights(level: GroupedMixture, unit: int, x: Tensor) -> Tensor:
    logits = x @ level.self_gates.linear.weight[unit].T
    return logits.sigmoid() if logits.shape[1] == 1 else logits.softmax(dim=1)


def unit_by_loops(
    level: GroupedMixture, unit: int, outputs: list[Tensor], own: list[int], others: list[int], x: Tensor, read: Tensor
) -> tuple[Tensor, Tensor]:
    """What one gate makes of the experts that it reaches, with the unit's own passed on beside it."""
    seen = own + others
    weights = (read @ level.gates.linear.weight[unit].T)[:, seen].softmax(dim=1)
    mixed = sum(weights[:, [j]] * outputs[i] for j, i in enumerate(seen))
    beside = own_weights(level, unit, x)
    gates = torch.zeros(len(x), len(outputs))
    gates[:, seen] = weights
    return mixed + sum(beside[:, [j]] * outputs[i] for j, i in enumerate(own)), gates


def by_loops(
    trunk: HoME, x: Tensor, groups: tuple[tuple[int, ...], ...], experts: int, tasks: int
) -> tuple[Tensor, Tensor]:
    """The model, expert by expert and unit by unit."""

    def of_set(number: int) -> list[int]:
        return list(range(number * experts, (number + 1) * experts))

    shared = len(groups)
    outputs = [one_expert(trunk.below, i, x) for i in range((shared + 1) * experts)]
    below = []
    for unit in range(shared + 1):
        others = of_set(shared) if unit < shared else [i for group in range(shared) for i in of_set(group)]
        below.append(unit_by_loops(trunk.below, unit, outputs, of_set(unit), others, x, x)[0])
    home = {task: group for group, members in enumerate(groups) for task in members}
    reads = [below[home[task]] for task in range(tasks)] + below
    outputs = [one_expert(trunk.above, i, reads[number]) for number in range(len(reads)) for i in of_set(number)]
    found = []
    for task in range(tasks):
        own, read = below[home[task]], torch.cat([below[home[task]], below[shared]], dim=1)
        others = of_set(tasks + home[task]) + of_set(tasks + shared)
        found.append(unit_by_loops(trunk.above, task, outputs, of_set(task), others, own, read))
    return torch.stack([hidden for hidden, _ in found], dim=1), torch.stack([gates for _, gates in found], dim=1)


@pytest.mark.parametrize("norm", ["none", "batch"])
@pytest.mark.parametrize("experts", [1, 3])
@pytest.mark.parametrize("groups", GROUPS, ids=str)
def test_every_unit_by_itself(groups: tuple[tuple[int, ...], ...], experts: int, norm: str) -> None:
    torch.manual_seed(0)
    trunk = HoME(
        WIDTH, 3, groups=groups, experts=experts, expert_dims=(5, HIDDEN), rank=2, hidden=Hidden("silu", norm=norm)
    )
    with torch.no_grad():
        for name, parameter in trunk.named_parameters():
            if name.endswith("bias") or "batch" in name:
                parameter.normal_()
    x = torch.randn(9, WIDTH)
    hidden, gates, penalty = trunk.mix(x)
    expected, expected_gates = by_loops(trunk, x, groups, experts, 3)
    torch.testing.assert_close(hidden, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(gates, expected_gates, atol=1e-6, rtol=1e-5)
    assert penalty is None
    assert torch.equal(gates == 0, expected_gates == 0)
    torch.testing.assert_close(gates.sum(dim=2), torch.ones(9, 3), atol=1e-6, rtol=0)


def test_one_task_by_hand() -> None:
    """One number wide: a group of one task, an expert a set; level below: group, shared; above: task, group, shared."""

    def sigmoid(value: float) -> float:
        return 1 / (1 + math.exp(-value))

    def softmax(values: list[float]) -> list[float]:
        raised = [math.exp(value) for value in values]
        return [value / sum(raised) for value in raised]

    def expert(x: float, down: float, up: float, weight: float, bias: float) -> float:
        value = weight * x * 2 * sigmoid(x * down * up) + bias
        return value * sigmoid(value)

    x = 0.8
    below = {
        "down": [0.5, -1.5],
        "up": [2.0, 0.7],
        "weight": [1.2, -0.9],
        "bias": [0.3, 1.6],
        "gate": [[[0.4], [-0.3]], [[1.1], [0.2]]],
        "own": [[0.6], [-0.8]],
    }
    above = {
        "down": [-0.4, 0.9, 1.3],
        "up": [1.1, -0.6, 0.5],
        "weight": [0.7, 1.4, -1.1],
        "bias": [-0.2, 0.5, 2.0],
        "gate": [[[0.9, -0.7], [0.1, 0.6], [-0.5, 0.8]]],
        "own": [[1.7]],
    }
    names = ("down", "up", "weight", "bias")
    f = [expert(x, *(below[name][i] for name in names)) for i in range(2)]
    z = []
    for unit in range(2):
        weights = softmax([below["gate"][unit][i][0] * x for i in range(2)])
        z.append(weights[0] * f[0] + weights[1] * f[1] + sigmoid(below["own"][unit][0] * x) * f[unit])
    f = [expert(read, *(above[name][i] for name in names)) for i, read in enumerate([z[0], z[0], z[1]])]
    weights = softmax([row[0] * z[0] + row[1] * z[1] for row in above["gate"][0]])
    expected = sum(w * value for w, value in zip(weights, f, strict=True)) + sigmoid(above["own"][0][0] * z[0]) * f[0]
    # none of the numbers above may hide the others
    assert min(abs(value) for value in [*f, *z, expected]) > 0.05

    trunk = HoME(1, 1, groups=((0,),), experts=1, expert_dims=(1,), rank=1, hidden=Hidden("silu", norm="none"))
    with torch.no_grad():
        for level, values in ((trunk.below, below), (trunk.above, above)):
            layer = level.experts.experts.mlp.layers[0]
            for parameter, name in (
                (level.experts.feature_gates.down.weight, "down"),
                (level.experts.feature_gates.up.weight, "up"),
                (layer.weight, "weight"),
                (layer.bias, "bias"),
                (level.gates.linear.weight, "gate"),
                (level.self_gates.linear.weight, "own"),
            ):
                parameter.copy_(torch.tensor(values[name]).view(parameter.shape))
    hidden, gates, _ = trunk.mix(torch.tensor([[x]]))
    assert hidden.item() == pytest.approx(expected, abs=1e-6)
    assert gates.flatten().tolist() == pytest.approx(weights, abs=1e-6)


@pytest.mark.parametrize("zero", ["down", "up"])
def test_a_feature_gate_of_zeros_passes_everything(zero: str) -> None:
    torch.manual_seed(0)
    gates, x = FeatureGates(3, WIDTH, rank=2), torch.randn(7, WIDTH)
    assert (gates(x) - x.unsqueeze(1)).abs().max() > 0.01
    torch.nn.init.zeros_(getattr(gates, zero).weight)
    assert torch.equal(gates(x), x.unsqueeze(1).expand(-1, 3, -1))
    own = torch.randn(7, 3, WIDTH)
    assert torch.equal(gates(own), own)


def test_feature_gates_start_near_one_and_stay_below_two() -> None:
    torch.manual_seed(0)
    gates, x = FeatureGates(50, 40, rank=8), torch.randn(100, 40)
    weights = gates(x) / x.unsqueeze(1)
    assert weights.mean().item() == pytest.approx(1, abs=0.01)
    assert 0.05 < weights.std().item() < 0.3
    weights = FeatureGates(3, 4, rank=2)(torch.full((1, 4), 1e3)) / 1e3
    assert weights.min() >= 0
    assert weights.max() <= 2


@pytest.mark.parametrize("experts", [1, 2])
def test_a_self_gate_weighs_the_experts_of_its_own_unit(experts: int) -> None:
    torch.manual_seed(0)
    weights = SelfGates(WIDTH, num_units=2, num_sets=4, experts=experts, dims=(5,))(torch.randn(6, 2, WIDTH))
    sets = weights.view(6, 2, 4, experts)
    for unit in range(2):
        for other in set(range(4)) - {unit}:
            assert not sets[:, unit, other].any()
        of_own = sets[:, unit, unit].sum(dim=1)
        assert (of_own > 0).all()
        if experts > 1:
            torch.testing.assert_close(of_own, torch.ones(6))
        else:
            assert (of_own < 1).all()


def test_without_feature_and_self_gates_the_level_below_is_that_of_ple() -> None:
    torch.manual_seed(0)
    trunk = HoME(WIDTH, 2, groups=((0,), (1,)), experts=1, expert_dims=(6, HIDDEN), hidden=Hidden("relu", norm="none"))
    plain = PLE(WIDTH, 2, own_experts=1, shared_experts=1, expert_dims=(6, HIDDEN), levels=2).levels[0]
    plain.experts.experts.load_state_dict(trunk.below.experts.experts.state_dict())
    plain.gates.load_state_dict(trunk.below.gates.state_dict())
    x = torch.cat([torch.randn(7, WIDTH - 1), torch.ones(7, 1)], dim=1)
    assert (trunk.below(x, x, x).hidden - plain(x).hidden).abs().max() > 0.01
    with torch.no_grad():
        trunk.below.experts.feature_gates.up.weight.zero_()
        trunk.below.self_gates.linear.weight.zero_()
        # the last input is 1, so that its weight is a bias
        trunk.below.self_gates.linear.weight[:, :, -1] = -1e4
    torch.testing.assert_close(trunk.below(x, x, x).hidden, plain(x).hidden, atol=1e-6, rtol=0)


def gradients(level: GroupedMixture, experts: int) -> list[float]:
    """The greatest gradient in every set of experts, its feature gates among them."""
    parameters = [p for p in level.experts.parameters() if p.grad is not None]
    by_set = [p.grad.abs().flatten(1).amax(dim=1).view(-1, experts).amax(dim=1) for p in parameters]
    return torch.stack(by_set).amax(dim=0).tolist()


@pytest.mark.parametrize("experts", [1, 2])
def test_experts_of_other_tasks_and_groups_get_no_gradient(experts: int) -> None:
    torch.manual_seed(0)
    trunk = HoME(
        WIDTH, 3, groups=((0, 2), (1,)), experts=experts, expert_dims=(HIDDEN,), hidden=Hidden("silu", norm="none")
    )
    trunk(torch.randn(8, WIDTH))[:, 0].square().sum().backward()
    task_0, task_1, task_2, group_0, group_1, shared = gradients(trunk.above, experts)
    assert task_1 == task_2 == group_1 == 0
    assert min(task_0, group_0, shared) > 0
    # below, all groups meet in the shared vector
    assert min(gradients(trunk.below, experts)) > 0
    assert not trunk.above.self_gates.linear.weight.grad[1:].any()
    assert not trunk.above.gates.linear.weight.grad[1:].any()


def test_other_groups_reach_a_task_by_the_shared_vector_alone() -> None:
    torch.manual_seed(0)
    trunk = HoME(WIDTH, 2, groups=((0,), (1,)), experts=1, expert_dims=(HIDDEN,), hidden=Hidden("silu", norm="none"))
    x = torch.cat([torch.randn(8, WIDTH - 1), torch.ones(8, 1)], dim=1)
    with torch.no_grad():
        # the last input is 1: the gate of the shared vector looks at the shared expert alone
        trunk.below.gates.linear.weight[2].zero_()
        trunk.below.gates.linear.weight[2, 2, -1] = 1e4
    trunk(x)[:, 0].square().sum().backward()
    group_0, group_1, shared = gradients(trunk.below, 1)
    assert group_1 == 0
    assert min(group_0, shared) > 0


def test_own_experts_learn_though_the_gate_ignores_them() -> None:
    torch.manual_seed(0)
    trunk = HoME(WIDTH, 2, groups=((0, 1),), experts=1, expert_dims=(HIDDEN,), hidden=Hidden("silu", norm="none"))
    level, x = trunk.below, torch.cat([torch.randn(8, WIDTH - 1), torch.ones(8, 1)], dim=1)
    with torch.no_grad():
        level.gates.linear.weight.zero_()
        level.gates.linear.weight[0, 1, -1] = 1e4
    found = level(x, x, x)
    assert torch.equal(found.gates[:, 0], torch.tensor([0.0, 1.0]).expand(8, 2))
    found.hidden[:, 0].sum().backward()
    assert min(gradients(level, 1)) > 0


def test_one_expert_at_a_time_is_the_same() -> None:
    torch.manual_seed(0)
    experts = FeatureGatedExperts(WIDTH, 3, (5, HIDDEN), 2, hidden=Hidden(activation="silu", norm="batch"))
    experts(torch.randn(20, WIDTH))
    x = torch.randn(6, 3, WIDTH)
    outputs = experts.eval()(x)
    for i in range(3):
        torch.testing.assert_close(experts.one(i, x[:, i]), outputs[:, i], atol=1e-6, rtol=1e-5)


def test_gates_that_choose_run_the_chosen_experts_and_a_task_s_own() -> None:
    torch.manual_seed(0)
    gate = partial(TopKGates, k=1, importance=0.5)
    trunk = HoME(WIDTH, 2, groups=((0,), (1,)), experts=2, expert_dims=(HIDDEN,), gate=gate)
    x = torch.randn(9, WIDTH)
    assert trunk.mix(x).penalty > 0
    hidden, gates, _ = trunk.eval().mix(x)
    assert ((gates > 0).sum(dim=2) == 1).all()
    with torch.no_grad():
        torch.testing.assert_close(trunk(x), hidden, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"groups": ()}, "groups: expected one group of tasks or more, found none"),
        ({"groups": ((0, 1), ())}, "groups[1]: expected one task or more, found none"),
        ({"groups": ((0,),)}, "groups: task 1 is in no group"),
        ({"groups": ((0, 1), (1,))}, "groups: task 1 is in group 0 and again in 1"),
        ({"groups": ((0, 1), (2,))}, "groups[1]: expected positions of tasks below 2, found 2"),
        ({"groups": ((0, -1),)}, "groups[0]: expected positions of tasks below 2, found -1"),
        ({"groups": ((0, True),)}, "groups[0]: expected positions of tasks below 2, found True"),
        ({"experts": 0}, "experts: expected a positive whole number, found 0"),
        ({"experts": 1, "gate": partial(TopKGates, k=3)}, "k: expected at most 2, as many experts as a gate reaches"),
        ({"rank": 0}, "rank: expected a positive whole number, found 0"),
        ({"expert_dims": ()}, "expert_dims: expected one width or more, found none"),
    ],
)
def test_what_cannot_work_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ShapeError, match=re.escape(message)):
        HoME(WIDTH, 2, **{"groups": ((0,), (1,)), "expert_dims": (3,), **options})


def test_there_is_no_hierarchy_without_groups() -> None:
    with pytest.raises(TypeError, match="groups"):
        HoME(WIDTH, 2)
