from __future__ import annotations

import math
import re

import pytest
import torch

import gatewise as gw
from gatewise.errors import DeclarationError, ShapeError
from gatewise.nn import GateUnit, PEPNet, SingleTask

SCHEMA = gw.Schema(
    features=[gw.Categorical("tab", dim=2), gw.Categorical("user", dim=3), gw.Numeric("age")],
    tasks=[gw.Binary("click"), gw.Binary("buy")],
)
ROWS = {
    "tab": ["home", "search"] * 30,
    "user": [1, 2, 3] * 20,
    "age": [20.0, 30.0, 40.0, 50.0, 60.0] * 12,
    "click": [0, 1, 1] * 20,
    "buy": [0, 0, 1, 0] * 15,
}


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_gate_unit_by_hand() -> None:
    unit = GateUnit(1, 2, (1,), 2)
    with torch.no_grad():
        unit.hidden.layers[0].weight.copy_(torch.tensor([[[0.5, -1.0]]]))
        unit.hidden.layers[0].bias.fill_(0.3)
        unit.linear.weight.copy_(torch.tensor([[[2.0], [-1.5]]]))
        unit.linear.bias.copy_(torch.tensor([[0.1, 0.2]]))
    hidden = 0.5 * 0.8 - 1.0 * 0.1 + 0.3
    expected = [2 * sigmoid(2.0 * hidden + 0.1), 2 * sigmoid(-1.5 * hidden + 0.2)]
    assert unit(torch.tensor([[0.8, 0.1]])).flatten().tolist() == pytest.approx(expected, abs=1e-6)
    # relu: what is negative counts as nothing
    expected = [2 * sigmoid(0.1), 2 * sigmoid(0.2)]
    assert unit(torch.tensor([[0.0, 3.0]])).flatten().tolist() == pytest.approx(expected, abs=1e-6)


def small() -> PEPNet:
    torch.manual_seed(0)
    return PEPNet(5, 2, scenario=(4,), priors=(0, 1), layer_dims=(6, 3), gate_dims=(4,))


def test_by_loops() -> None:
    trunk, x = small(), torch.randn(7, 5)

    def unit(gate: GateUnit, group: int, given: torch.Tensor) -> torch.Tensor:
        first, last = gate.hidden.layers[0], gate.linear
        hidden = (given @ first.weight[group].T + first.bias[group]).relu()
        return 2 * (hidden @ last.weight[group].T + last.bias[group]).sigmoid()

    embedded = x * unit(trunk.embedding_gate, 0, torch.cat([x[:, 4:], x], dim=1))
    for task in range(2):
        scales = unit(trunk.layer_gates, task, torch.cat([x[:, :2], embedded], dim=1)).split([6, 3], dim=1)
        hidden = embedded
        for layer, scale in zip(trunk.layers, scales, strict=True):
            linear = layer.layers[0]
            hidden = (hidden @ linear.weight[task].T + linear.bias[task]).relu() * scale
        torch.testing.assert_close(trunk(x)[:, task], hidden, atol=1e-6, rtol=1e-5)


def test_gates_of_zero_leave_separate_stacks() -> None:
    trunk, plain = small(), SingleTask(5, 2, bottom_dims=(6, 3))
    linears = [layer for layer in plain.bottoms.layers if hasattr(layer, "weight")]
    with torch.no_grad():
        for gate in (trunk.embedding_gate, trunk.layer_gates):
            gate.linear.weight.zero_()
            gate.linear.bias.zero_()
        for layer, own in zip(trunk.layers, linears, strict=True):
            own.load_state_dict(layer.layers[0].state_dict())
    x = torch.randn(7, 5)
    torch.testing.assert_close(trunk(x), plain(x), atol=1e-6, rtol=0)
    of_input, of_layers = trunk.scales(x)
    assert of_input.shape == (7, 5)
    assert [scale.shape for scale in of_layers] == [(7, 2, 6), (7, 2, 3)]
    assert all(bool((scale == 1).all()) for scale in (of_input, *of_layers))


def test_the_gates_change_their_own_columns_alone() -> None:
    trunk, x = small(), torch.randn(7, 5, requires_grad=True)
    of_input, of_layers = trunk.scales(x)
    (gradient,) = torch.autograd.grad(of_input.sum(), x, retain_graph=True)
    assert (gradient.abs().amax(dim=0) > 0).tolist() == [False, False, False, False, True]
    (gradient,) = torch.autograd.grad(of_layers[0].sum() + of_layers[1].sum(), x)
    assert (gradient.abs().amax(dim=0) > 0).tolist() == [True, True, False, False, False]


def test_names_become_columns(tmp_path) -> None:
    ranker = gw.Ranker(SCHEMA, gw.PEPNet(scenario=["tab"], priors=["user", "age"]), epochs=2).fit(ROWS)
    trunk = ranker.scorer.model.trunk
    assert trunk.scenario.tolist() == [0, 1]
    assert trunk.priors.tolist() == [2, 3, 4, 5]
    ranker.save(tmp_path / "model")
    assert gw.load(tmp_path / "model").predict(ROWS).equals(ranker.predict(ROWS))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"scenario": ["tba"], "priors": ["user"]},
            "scenario: no feature 'tba' (features: tab, user, age); did you mean",
        ),
        (
            {"scenario": ["tab"], "priors": ["usr"]},
            "priors: no feature 'usr' (features: tab, user, age); did you mean 'u",
        ),
    ],
)
def test_names_that_are_no_features_are_refused(options: dict[str, list[str]], message: str) -> None:
    with pytest.raises(DeclarationError, match=re.escape(message)):
        gw.Ranker(SCHEMA, gw.PEPNet(**options))


def test_it_needs_scenario_and_priors() -> None:
    with pytest.raises(DeclarationError, match=r"PEPNet\.scenario: is required; PEPNet\.priors: is required"):
        gw.PEPNet()
    with pytest.raises(DeclarationError, match=r"PEPNet\.scenario: .*at least 1 item"):
        gw.PEPNet(scenario=[], priors=["user"])
    with pytest.raises(ShapeError, match=re.escape("scenario: expected columns from 0 to 4, found []")):
        PEPNet(5, 2, scenario=(), priors=(0,))
    with pytest.raises(ShapeError, match=re.escape("priors: expected columns from 0 to 4, found [0, 5]")):
        PEPNet(5, 2, scenario=(1,), priors=(0, 5))
