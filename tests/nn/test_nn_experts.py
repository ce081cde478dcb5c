from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import gatewise as gw
from gatewise.errors import DeclarationError, ShapeError
from gatewise.nn import (
    ConvolutionalExpert,
    CrossNetwork,
    ExpertNetwork,
    Hidden,
    MLPExperts,
    MMoE,
    ModuleExperts,
    ResidualMLP,
    SoftmaxGates,
    TopKGates,
)

X = torch.randn(7, 5, generator=torch.Generator().manual_seed(0))


def layer(group: nn.Module, x: Tensor) -> Tensor:
    """The first linear map of a perceptron of one group, by its own matrix."""
    linear = group.layers[0]
    return x @ linear.weight[0].T + linear.bias[0]


def test_residual_layers_add_to_what_they_read() -> None:
    expert = ResidualMLP(5, (4, 4, 3))
    hidden = X
    for number, (own, shortcut) in enumerate(zip(expert.mlp.layers, expert.mlp.shortcuts, strict=True)):
        kept = hidden if number == 1 else hidden @ shortcut.weight[0].T
        hidden = kept + layer(own, hidden).relu()
    torch.testing.assert_close(expert(X), hidden, atol=1e-6, rtol=1e-5)
    assert isinstance(expert.mlp.shortcuts[1], nn.Identity)


def test_crosses_by_hand() -> None:
    expert = CrossNetwork(2, 1, layers=2)
    with torch.no_grad():
        for cross, weight in zip(expert.crosses, ([[0.5, -1.0], [2.0, 0.1]], [[1.0, 0.0], [0.3, -0.2]]), strict=True):
            cross.weight.copy_(torch.tensor(weight))
            cross.bias.copy_(torch.tensor([0.1, -0.4]))
        expert.leave.weight.copy_(torch.tensor([[1.0, -2.0]]))
        expert.leave.bias.fill_(0.25)
    a, b = 0.6, -0.7
    a1, b1 = a * (0.5 * a - 1.0 * b + 0.1) + a, b * (2.0 * a + 0.1 * b - 0.4) + b
    a2, b2 = a * (1.0 * a1 + 0.1) + a1, b * (0.3 * a1 - 0.2 * b1 - 0.4) + b1
    assert expert(torch.tensor([[a, b]])).item() == pytest.approx(a2 - 2 * b2 + 0.25, abs=1e-5)


def test_crosses_of_low_rank_are_crosses_of_the_product() -> None:
    low, full = CrossNetwork(5, 3, layers=1, rank=2), CrossNetwork(5, 3, layers=1)
    with torch.no_grad():
        full.crosses[0].weight.copy_(low.crosses[0][1].weight @ low.crosses[0][0].weight)
        full.crosses[0].bias.copy_(low.crosses[0][1].bias)
    full.leave.load_state_dict(low.leave.state_dict())
    torch.testing.assert_close(low(X), full(X), atol=1e-6, rtol=1e-5)


def test_convolution_by_loops() -> None:
    expert = ConvolutionalExpert(6, 2, channels=2, kernel=3, places=3)
    conv, leave = expert.layers[0], expert.layers[4]
    x = torch.randn(4, 6)
    padded = torch.cat([torch.zeros(4, 1), x, torch.zeros(4, 1)], dim=1)
    found = torch.zeros(4, 2, 6)
    for channel in range(2):
        for place in range(6):
            window = padded[:, place : place + 3]
            found[:, channel, place] = window @ conv.weight[channel, 0] + conv.bias[channel]
    pooled = found.relu().view(4, 2, 3, 2).mean(dim=3).flatten(1)
    torch.testing.assert_close(expert(x), pooled @ leave.weight.T + leave.bias, atol=1e-6, rtol=1e-5)


def kinds() -> list[nn.Module]:
    torch.manual_seed(0)
    return [
        ExpertNetwork(5, (4, 3)),
        ResidualMLP(5, (4, 3)),
        CrossNetwork(5, 3, rank=2),
        ConvolutionalExpert(5, 3),
        nn.Sequential(nn.Linear(5, 3), nn.Tanh()),
    ]


@pytest.mark.parametrize("rows", [0, 1, 7])
def test_experts_of_any_kind_side_by_side(rows: int) -> None:
    modules = kinds()
    experts = ModuleExperts(modules, 5)
    assert experts(X[:rows]).shape == (rows, 5, 3)
    for i, module in enumerate(modules):
        assert torch.equal(experts(X[:rows])[:, i], module(X[:rows]))
    own = torch.randn(rows, 5, 5)
    assert torch.equal(experts(own)[:, 2], modules[2](own[:, 2]))


@pytest.mark.parametrize("k", [None, 1])
def test_normalised_experts_are_weighed_by_gates_alone(k: int | None) -> None:
    torch.manual_seed(0)
    gate = SoftmaxGates if k is None else partial(TopKGates, k=k)
    trunk = MMoE(
        5, 2, experts=3, expert_dims=(4, 6), expert_norm=True, gate=gate, hidden=Hidden(activation="tanh")
    ).eval()
    before = trunk(X)
    level = trunk.levels[0]
    outputs = level.experts(X)
    torch.testing.assert_close(outputs.mean(dim=2), torch.zeros(7, 3), atol=1e-6, rtol=0)
    torch.testing.assert_close(outputs.var(dim=2, unbiased=False), torch.ones(7, 3), atol=1e-3, rtol=0)
    torch.testing.assert_close(before, torch.einsum("bke,beh->bkh", level.gates(X).weights, outputs))
    with torch.no_grad():
        torch.testing.assert_close(trunk(X), before, atol=1e-6, rtol=1e-5)


def test_equal_perceptrons_in_a_list_are_the_batched_ones() -> None:
    torch.manual_seed(0)
    modules = [ExpertNetwork(5, (4, 3)) for _ in range(3)]
    batched, apart = MMoE(5, 2, experts=3, expert_dims=(4, 3)), MMoE(5, 2, experts=modules)
    apart.levels[0].gates.load_state_dict(batched.levels[0].gates.state_dict())
    with torch.no_grad():
        for number, (of_all, *of_each) in enumerate(
            zip(batched.levels[0].experts.parameters(), *(module.parameters() for module in modules), strict=True)
        ):
            assert number < 4
            of_all.copy_(torch.cat(of_each))
    torch.testing.assert_close(batched(X), apart(X), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        ([], "experts: expected one or more, found none"),
        ([nn.Linear(5, 3), nn.Linear(5, 4)], "experts[1]: expected output width 3, as experts[0] has, found 4"),
        ([nn.Linear(6, 3)], "experts[0]: expected a module that takes [batch, 5]"),
        ([nn.Flatten(0)], "experts[0]: expected an output of shape [batch, width], found [10] for a batch of 2"),
    ],
)
def test_modules_that_do_not_fit_are_refused(modules: list[nn.Module], message: str) -> None:
    with pytest.raises(ShapeError, match=re.escape(message)):
        ModuleExperts(modules, 5)


SCHEMA = gw.Schema(features=[gw.Numeric("a"), gw.Numeric("b")], tasks=[gw.Binary("click"), gw.Binary("buy")])
ROWS = {"a": [0.1, 0.5, -1.0, 2.0] * 10, "b": [1.0, 0.0] * 20, "click": [0, 1] * 20, "buy": [0, 0, 1, 0] * 10}
LIST = [
    {"kind": "mlp", "dims": [4, 3], "count": 2},
    {"kind": "residual", "dims": [3]},
    {"kind": "cross", "width": 3, "layers": 3, "rank": 1},
    {"kind": "convolutional", "width": 3},
]


@pytest.mark.parametrize("kind", ["mmoe", "omoe"])
def test_a_declared_list_is_trained_saved_and_loaded(kind: str, tmp_path) -> None:
    ranker = gw.Ranker(SCHEMA, {"kind": kind, "experts": LIST, "norm": "batch"}, epochs=2).fit(ROWS)
    experts = ranker.scorer.model.trunk.levels[0].experts.experts
    names = [type(expert).__name__ for expert in experts]
    assert names == ["ExpertNetwork"] * 2 + ["ResidualMLP", "CrossNetwork", "ConvolutionalExpert"]
    assert len(experts[3].crosses) == 3
    ranker.save(tmp_path / "model")
    assert gw.load(tmp_path / "model").predict(ROWS).equals(ranker.predict(ROWS))
    assert ranker.gates(ROWS).shape == (2, 5)


def test_a_declared_list_of_equal_perceptrons_is_batched() -> None:
    model = gw.MMoE(experts=[gw.MLPExpert(dims=[4, 3], count=2), gw.MLPExpert(dims=[4, 3])])
    experts = gw.Ranker(SCHEMA, model, epochs=1).fit(ROWS).scorer.model.trunk.levels[0].experts
    assert isinstance(experts, MLPExperts)
    assert experts.num_experts == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"experts": LIST, "levels": 2}, "experts: a list fits one level, found levels 2"),
        (
            {"experts": [LIST[0], {"kind": "cross", "width": 4}]},
            "experts[1]: expected output width 3, as experts[0] has",
        ),
        ({"experts": []}, "experts: "),
        ({"experts": [{"kind": "convolutional", "width": 3, "kernel": 4}]}, "kernel: expected an odd width, found 4"),
    ],
)
def test_lists_that_do_not_fit_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(message)):
        gw.MMoE(**options)


def test_gates_cannot_choose_more_than_the_list_has() -> None:
    with pytest.raises(DeclarationError, match=re.escape("gate.k: expected at most 5, the number of experts, found 6")):
        gw.Ranker(SCHEMA, gw.MMoE(experts=LIST, gate=gw.TopKGate(k=6)))
