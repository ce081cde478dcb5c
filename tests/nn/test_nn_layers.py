from __future__ import annotations

import pytest
import torch

from gatewise.errors import ShapeError
from gatewise.nn import GroupLinear, GroupMLP, Hidden, MLPExperts, Towers
from gatewise.nn.layers import Dropout, GroupNorm


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("batch", [0, 1, 6])
@pytest.mark.parametrize("grouped", [False, True])
def test_group_linear_is_a_loop(bias: bool, batch: int, grouped: bool) -> None:
    torch.manual_seed(0)
    layer = GroupLinear(3, 4, 2, bias=bias)
    if layer.bias is not None:
        torch.nn.init.normal_(layer.bias)
    x = torch.randn(batch, 3, 4) if grouped else torch.randn(batch, 4)
    output = layer(x)
    assert output.shape == (batch, 3, 2)
    for group in range(3):
        own = torch.nn.functional.linear(
            x[:, group] if grouped else x, layer.weight[group], None if layer.bias is None else layer.bias[group]
        )
        torch.testing.assert_close(output[:, group], own, atol=1e-6, rtol=0)


def test_initial_variance() -> None:
    torch.manual_seed(0)
    layer = GroupLinear(8, 200, 100)
    assert float(layer.weight.detach().var()) == pytest.approx(2 / 200, rel=0.02)
    assert not layer.bias.any()


@pytest.mark.parametrize("kind", ["batch", "layer"])
def test_norm_is_each_groups_own(kind: str) -> None:
    torch.manual_seed(0)
    x = torch.randn(9, 3, 4) * torch.tensor([1.0, 10.0, 100.0])[:, None] + 5
    normed = GroupNorm(kind, 3, 4)(x)
    own = torch.nn.BatchNorm1d(4) if kind == "batch" else torch.nn.LayerNorm(4)
    for group in range(3):
        torch.testing.assert_close(normed[:, group], own(x[:, group]), atol=1e-5, rtol=0)


@pytest.mark.parametrize("rows", [0, 1])
def test_batch_norm_of_too_few_rows_takes_running_statistics(rows: int) -> None:
    torch.manual_seed(0)
    norm = GroupNorm("batch", 2, 3)
    for _ in range(5):
        norm(torch.randn(8, 2, 3) * 2 + 1)
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    x = torch.randn(rows, 2, 3, requires_grad=True)
    trained = norm(x)
    assert all(torch.equal(value, before[name]) for name, value in norm.state_dict().items())
    assert torch.equal(trained, norm.eval()(x))
    trained.sum().backward()
    assert norm.batch.bias.grad.isfinite().all()


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize("training", [False, True])
def test_one_row_in_training_and_evaluation(norm: str, training: bool) -> None:
    mlp = GroupMLP(2, 3, (4, 2), hidden=Hidden(norm=norm, dropout=0.5)).train(training)
    assert mlp(torch.randn(1, 3)).isfinite().all()


def test_no_hidden_layer_passes_the_input_on() -> None:
    x = torch.randn(5, 3)
    assert torch.equal(GroupMLP(2, 3, ())(x), torch.stack([x, x], dim=1))
    grouped = torch.randn(5, 2, 3)
    assert torch.equal(GroupMLP(2, 3, ())(grouped), grouped)


def test_dropout_only_in_training() -> None:
    torch.manual_seed(0)
    mlp, x = GroupMLP(2, 3, (50,), hidden=Hidden(dropout=0.5)), torch.rand(4, 3)
    assert not torch.equal(mlp(x), mlp(x))
    mlp.eval()
    assert torch.equal(mlp(x), mlp(x))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dims": (4, 0)}, r"dims\[1\]: expected a positive whole number, found 0"),
        ({"dims": (2.5,)}, r"dims\[0\]: .* found 2.5"),
        ({"groups": True}, "groups: .* found True"),
    ],
)
def test_errors_name_the_argument_of_layers(options: dict[str, object], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        GroupMLP(**{"groups": 2, "input_dim": 3, "dims": (4,)} | options)


def test_experts_are_equal_in_shape_not_in_weights() -> None:
    assert MLPExperts(4, 3, (5, 2))(torch.randn(6, 4)).shape == (6, 3, 2)


def test_towers_of_several_outputs() -> None:
    torch.manual_seed(0)
    towers, x = Towers(2, 3, (4,), (3, 1)), torch.randn(5, 2, 3)
    output = towers(x)
    hidden = towers.hidden(x)
    assert output.shape == (5, 4)
    for column, task in enumerate([0, 0, 0, 1]):
        own = hidden[:, task] @ towers.weight[column] + towers.bias[column]
        torch.testing.assert_close(output[:, column], own, atol=1e-6, rtol=0)


def test_a_tower_without_output_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"output_dims\[1\]: expected a positive whole number, found 0"):
        Towers(2, 3, (4,), (2, 0))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_drops_its_share_and_keeps_the_mean(rate):
    torch.manual_seed(0)
    x = torch.ones(1000, 7, 13, requires_grad=True)
    dropout = Dropout(rate)
    y = dropout(x)
    kept = y != 0
    assert 1 - kept.double().mean().item() == pytest.approx(rate, abs=0.005)
    # independent of the neighbours that share a draw
    flat = kept.flatten().double()
    assert torch.corrcoef(torch.stack([flat[:-1], flat[1:]]))[0, 1].abs() < 0.01
    torch.testing.assert_close(y[kept], torch.full_like(y[kept], 1 / (1 - rate)), rtol=1e-3, atol=0)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    assert torch.equal(gradient, y.detach())
    assert not torch.equal(dropout(x), y)


def test_dropout_leaves_evaluation_and_types_alone():
    x = torch.randn(3, 2, 5)
    assert Dropout(0.5).eval()(x) is x
    for dtype in (torch.bfloat16, torch.float64):
        assert Dropout(0.5)(x.to(dtype)).dtype == dtype
    assert Dropout(0.5)(torch.empty(0, 2, 5)).shape == (0, 2, 5)
