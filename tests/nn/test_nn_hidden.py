"""Hidden layers as one value, and activations with parameters of their own."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import prelu

from gatewise.errors import ShapeError
from gatewise.nn import ConvolutionalExpert, GroupMLP, Hidden, MMoE, Towers
from gatewise.nn.activations import ACTIVATIONS, Dice, PReLU


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": "rleu"}, "activation: expected one of relu, .* found 'rleu'; did you mean 'relu'"),
        ({"norm": "bach"}, "norm: expected one of none, batch, layer, found 'bach'; did you mean 'batch'"),
        ({"dropout": 1.0}, "dropout: expected a share from 0 to below 1, found 1.0"),
        ({"dropout": -0.1}, "dropout: .* found -0.1"),
    ],
)
def test_errors_name_the_option(options: dict[str, object], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        Hidden(**options)


def test_prelu_is_that_of_torch_with_a_slope_per_unit() -> None:
    layer, x = PReLU(2, 3), torch.randn(7, 2, 3)
    layer.slope.data.uniform_(0, 1)
    torch.testing.assert_close(layer(x), prelu(x.flatten(1), layer.slope.flatten()).view_as(x))


def test_dice_by_hand() -> None:
    torch.manual_seed(0)
    layer, x = Dice(2, 3), torch.randn(9, 2, 3) * 4 + 1
    layer.slope.data.uniform_(0, 1)
    scaled = (x - x.mean(dim=0)) / x.var(dim=0, unbiased=False).sqrt()
    p = 1 / (1 + torch.exp(-scaled))
    torch.testing.assert_close(layer(x), p * x + (1 - p) * layer.slope * x)


def test_dice_judges_new_rows_by_the_running_statistics() -> None:
    torch.manual_seed(0)
    layer = Dice(1, 2)
    for _ in range(200):
        layer(torch.randn(512, 1, 2) * 3 + 5)
    x = torch.tensor([[[5.0, -100.0]]])
    for found in (layer(x), layer.eval()(x)):
        torch.testing.assert_close(found, torch.tensor([[[2.5, 0.0]]]), atol=0.3, rtol=0)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("batch", [0, 1, 5])
@pytest.mark.parametrize("training", [False, True])
def test_every_activation_for_any_batch(activation: str, batch: int, training: bool) -> None:
    mlp = GroupMLP(2, 3, (4, 5), hidden=Hidden(activation, norm="batch")).train(training)
    assert mlp(torch.randn(batch, 3)).shape == (batch, 2, 5)
    assert ConvolutionalExpert(6, 4, activation=activation).train(training)(torch.randn(batch, 6)).shape == (batch, 4)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_one_group_is_that_group_of_all(activation: str) -> None:
    torch.manual_seed(0)
    mlp, x = GroupMLP(3, 4, (5, 2), hidden=Hidden(activation, norm="batch")), torch.randn(20, 4)
    mlp(x)
    for parameter in mlp.parameters():
        parameter.data.uniform_(-1, 1)
    whole = mlp.eval()(x)
    for group in range(3):
        torch.testing.assert_close(mlp.one(group, x), whole[:, group])


@pytest.mark.parametrize("activation", ["prelu", "dice"])
def test_slopes_are_learnt(activation: str) -> None:
    torch.manual_seed(0)
    mlp = GroupMLP(2, 3, (4,), hidden=Hidden(activation))
    mlp(torch.randn(8, 3)).square().sum().backward()
    (slope,) = (p for name, p in mlp.named_parameters() if name.endswith("slope"))
    assert (slope.grad != 0).all()


def test_every_part_has_its_own_hidden_layers() -> None:
    trunk = MMoE(3, 2, gate_dims=(4,), hidden=Hidden("dice", dropout=0.5), gate_hidden=Hidden("tanh", dropout=0.25))
    towers = Towers(2, trunk.output_dim, (4,), hidden=Hidden("sigmoid"))

    def kinds(module: torch.nn.Module) -> list[str]:
        return [repr(layer) for layer in module.modules() if type(layer).__name__ in ("Dice", "Tanh", "Sigmoid")]

    level = trunk.levels[0]
    assert [name.partition("(")[0] for name in kinds(level.experts)] == ["Dice", "Dice"]
    assert kinds(level.gates) == ["Tanh()"]
    assert kinds(towers) == ["Sigmoid()"]
    rates = {
        part: [layer.rate for layer in getattr(level, part).modules() if hasattr(layer, "rate")]
        for part in ("experts", "gates")
    }
    assert rates == {"experts": [0.5, 0.5], "gates": [0.25]}


def test_gates_follow_the_common_layers_without_dropout() -> None:
    gates = MMoE(3, 2, gate_dims=(4,), hidden=Hidden("gelu", dropout=0.5, norm="layer")).levels[0].gates
    assert [type(layer).__name__ for layer in gates.hidden.layers] == ["GroupLinear", "GroupNorm", "GELU"]
