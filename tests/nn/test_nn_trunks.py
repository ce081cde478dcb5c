from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gatewise.layout import Layout
from gatewise.nn import (
    Hidden,
    InputLayer,
    Inputs,
    MMoE,
    MultiTaskModel,
    OMoE,
    SharedBottom,
    SingleTask,
    SoftmaxGates,
    Towers,
    Trunk,
)

NORMS = ["none", "batch", "layer"]


def relu(x: float) -> float:
    return x if x > 0 else 0.0


def trunks(norm: str = "none", dropout: float = 0.0) -> list[Trunk]:
    options = {"hidden": Hidden(norm=norm, dropout=dropout)}
    return [
        SharedBottom(4, 2, bottom_dims=(5, 3), **options),
        SingleTask(4, 2, bottom_dims=(5, 3), **options),
        OMoE(4, 2, experts=3, expert_dims=(5, 3), gate_dims=(4,), **options),
        MMoE(4, 2, experts=3, expert_dims=(5, 3), gate_dims=(4,), **options),
    ]


def test_mmoe_by_hand() -> None:
    x = [0.5, -1.0]
    expert_w = [[[0.2, -0.4], [1.0, 0.3]], [[-0.7, 0.1], [0.6, -0.5]]]  # [expert, hidden, input]
    expert_b = [[0.1, -0.2], [0.05, 0.3]]
    gate_w = [[[0.3, 0.8], [-0.6, 0.2]], [[1.1, -0.4], [0.0, 0.9]]]  # [task, expert, input]
    tower_w = [[[0.4, -0.3], [0.2, 0.7]], [[-0.5, 0.6], [0.9, 0.1]]]  # [task, hidden, input]
    tower_b = [[0.0, 0.1], [-0.1, 0.2]]
    output_w, output_b = [[1.5, -0.5], [0.25, 2.0]], [0.3, -0.6]

    experts = [
        [relu(w[h][0] * x[0] + w[h][1] * x[1] + b[h]) for h in range(2)]
        for w, b in zip(expert_w, expert_b, strict=True)
    ]
    expected, expected_gates = [], []
    for task in range(2):
        logits = [gate_w[task][e][0] * x[0] + gate_w[task][e][1] * x[1] for e in range(2)]
        exponentials = [math.exp(logit) for logit in logits]
        gate = [e / sum(exponentials) for e in exponentials]
        mixed = [gate[0] * experts[0][h] + gate[1] * experts[1][h] for h in range(2)]
        tower = [
            relu(tower_w[task][h][0] * mixed[0] + tower_w[task][h][1] * mixed[1] + tower_b[task][h]) for h in range(2)
        ]
        expected.append(output_w[task][0] * tower[0] + output_w[task][1] * tower[1] + output_b[task])
        expected_gates.append(gate)

    trunk, towers = MMoE(2, 2, experts=2, expert_dims=(2,)), Towers(2, 2, (2,))
    with torch.no_grad():
        for parameter, values in (
            (trunk.levels[0].experts.mlp.layers[0].weight, expert_w),
            (trunk.levels[0].experts.mlp.layers[0].bias, expert_b),
            (trunk.levels[0].gates.linear.weight, gate_w),
            (towers.hidden.layers[0].weight, tower_w),
            (towers.hidden.layers[0].bias, tower_b),
            (towers.weight, output_w),
            (towers.bias, output_b),
        ):
            parameter.copy_(torch.tensor(values))
    hidden, gates, _ = trunk.mix(torch.tensor([x]))
    assert gates[0].tolist() == [pytest.approx(gate, abs=1e-6) for gate in expected_gates]
    assert towers(hidden)[0].tolist() == pytest.approx(expected, abs=1e-6)
    # none of the numbers above may hide a dead unit
    assert all(abs(score) > 0.01 for score in expected)


@pytest.mark.parametrize("norm", NORMS)
def test_one_expert_is_a_shared_bottom(norm: str) -> None:
    torch.manual_seed(0)
    mixture = MMoE(4, 3, experts=1, expert_dims=(5, 3), hidden=Hidden(norm=norm))
    bottom = SharedBottom(4, 3, bottom_dims=(5, 3), hidden=Hidden(norm=norm))
    bottom.bottom.load_state_dict(mixture.levels[0].experts.mlp.state_dict())
    x = torch.randn(7, 4)
    torch.testing.assert_close(mixture(x), bottom(x), atol=1e-6, rtol=0)


@pytest.mark.parametrize("gate_dims", [(), (4,)])
def test_tied_gates_are_one_gate(gate_dims: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    many = MMoE(4, 3, experts=5, expert_dims=(3,), gate_dims=gate_dims)
    one = OMoE(4, 3, experts=5, expert_dims=(3,), gate_dims=gate_dims)
    one.levels[0].experts.load_state_dict(many.levels[0].experts.state_dict())
    with torch.no_grad():
        for tied, single in zip(many.levels[0].gates.parameters(), one.levels[0].gates.parameters(), strict=True):
            tied.copy_(single.expand_as(tied))
    x = torch.randn(7, 4)
    for left, right in zip(many.mix(x)[:2], one.mix(x)[:2], strict=True):
        torch.testing.assert_close(left, right, atol=1e-6, rtol=0)


def test_gates_with_hidden_layers_are_each_their_own() -> None:
    torch.manual_seed(0)
    gates, x = SoftmaxGates(4, 3, 5, (6, 2)), torch.randn(7, 4)
    linears = [layer for layer in gates.hidden.layers if hasattr(layer, "weight")]
    weights = gates(x).weights
    for gate in range(3):
        hidden = x
        for layer in linears:
            hidden = (hidden @ layer.weight[gate].T + layer.bias[gate]).relu()
        expected = (hidden @ gates.linear.weight[gate].T).softmax(dim=1)
        torch.testing.assert_close(weights[:, gate], expected, atol=1e-6, rtol=0)


def test_single_task_is_separate_stacks() -> None:
    torch.manual_seed(0)
    trunk = SingleTask(4, 3, bottom_dims=(5, 2))
    x = torch.randn(7, 4)
    linears = [layer for layer in trunk.bottoms.layers if hasattr(layer, "weight")]
    for layer in linears:
        torch.nn.init.normal_(layer.bias)
    hidden = trunk(x)
    for task in range(3):
        stack = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.ReLU(), torch.nn.Linear(5, 2), torch.nn.ReLU())
        for own, layer in zip((stack[0], stack[2]), linears, strict=True):
            own.load_state_dict({"weight": layer.weight[task], "bias": layer.bias[task]})
        torch.testing.assert_close(hidden[:, task], stack(x), atol=1e-6, rtol=0)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("batch", [0, 1, 6])
@pytest.mark.parametrize("training", [False, True])
def test_shapes_for_any_batch(norm: str, batch: int, training: bool) -> None:
    for trunk in trunks(norm, dropout=0.2):
        hidden, gates, _ = trunk.train(training).mix(torch.randn(batch, 4))
        assert hidden.shape == (batch, 2, trunk.output_dim)
        assert hidden.isfinite().all()
        assert gates is None or gates.shape == (batch, 2, 3)
        scores = Towers(2, 3, (4,), hidden=Hidden(norm=norm)).train(training)(hidden)
        assert scores.shape == (batch, 2)


@pytest.mark.parametrize("autocast", [False, True])
@pytest.mark.parametrize("kind", [OMoE, MMoE])
def test_gates_sum_to_one(autocast: bool, kind: type[MMoE] | type[OMoE]) -> None:
    torch.manual_seed(0)
    trunk = kind(6, 2, experts=7, expert_dims=(4,), gate_dims=(5,))
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        hidden, gates, _ = trunk.mix(torch.randn(50, 6) * 3)
    assert gates.dtype == torch.float32
    assert gates.min() >= 0
    torch.testing.assert_close(gates.sum(dim=2), torch.ones(50, 2), atol=1e-6, rtol=0)
    assert hidden.isfinite().all()


def test_experts_and_gates_differ_at_initialisation() -> None:
    torch.manual_seed(0)
    trunk = MMoE(6, 3, experts=4, expert_dims=(5,))
    x = torch.randn(20, 6)

    def nearest(groups: Tensor) -> float:
        return min((groups[i] - groups[j]).abs().max().item() for i in range(len(groups)) for j in range(i))

    assert nearest(trunk.levels[0].experts(x).transpose(0, 1)) > 0.1
    assert nearest(trunk.levels[0].gates(x).weights.transpose(0, 1)) > 0.01


def test_tasks_of_one_gate_or_bottom_read_the_same() -> None:
    for trunk in trunks()[::2]:
        hidden = trunk(torch.randn(5, 4))
        assert torch.equal(hidden[:, 0], hidden[:, 1])
    for trunk in trunks()[1::2]:
        hidden = trunk(torch.randn(5, 4))
        assert not torch.equal(hidden[:, 0], hidden[:, 1])


def test_parameter_count_of_the_paper() -> None:
    """Input 100, eight experts of [16], two towers of [8], one output each."""
    trunk, towers = MMoE(100, 2, experts=8, expert_dims=(16,)), Towers(2, 16, (8,))
    model = MultiTaskModel(InputLayer(Layout(floats=tuple(f"x{i}" for i in range(100)))), trunk, towers)
    hidden_weights = trunk.levels[0].experts.mlp.layers[0].weight.numel() + towers.hidden.layers[0].weight.numel()
    output_weights, gates = towers.weight.numel(), trunk.levels[0].gates.linear.weight.numel()
    biases = sum(p.numel() for name, p in model.named_parameters() if name.endswith("bias"))
    # the hidden matrices of experts and towers; outputs, gates and biases are counted apart
    assert hidden_weights == 8 * 100 * 16 + 2 * 16 * 8 == 13_056
    assert output_weights == 2 * 8
    assert gates == 2 * 8 * 100
    assert biases == 8 * 16 + 2 * 8 + 2
    assert model.num_parameters() == hidden_weights + output_weights + gates + biases
    assert model(Inputs(torch.empty(3, 0).long(), (), torch.randn(3, 100))).scores.shape == (3, 2)
