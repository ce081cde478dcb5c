from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from torch.nn.functional import layer_norm

import gatewise as gw
from gatewise.errors import DeclarationError
from gatewise.nn import FeatureLayer, GroupResidualMLP, Towers

X = torch.randn(9, 4, generator=torch.Generator().manual_seed(0)) * 3 + 1


def test_batch_norm_is_torchs() -> None:
    layer, reference = FeatureLayer(4, norm="batch"), torch.nn.BatchNorm1d(4)
    for _ in range(3):
        torch.testing.assert_close(layer(X), reference(X))
    torch.testing.assert_close(layer.eval()(X), reference.eval()(X))


def test_layer_norm_is_torchs() -> None:
    torch.testing.assert_close(FeatureLayer(4, norm="layer")(X), layer_norm(X, (4,)))


def test_dropout_in_training_alone() -> None:
    torch.manual_seed(0)
    layer, ones = FeatureLayer(4, dropout=0.25), torch.ones(5_000, 4)
    dropped = layer(ones)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)
    assert dropped.max().item() == pytest.approx(4 / 3, rel=1e-4)
    assert torch.equal(layer.eval()(ones), ones)


def test_shared_layers_by_hand() -> None:
    layer = FeatureLayer(4, dims=(5, 3))
    first, second = layer.shared.layers[0], layer.shared.layers[2]
    hidden = (X @ first.weight[0].T + first.bias[0]).relu()
    expected = (hidden @ second.weight[0].T + second.bias[0]).relu()
    torch.testing.assert_close(layer(X), expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
@pytest.mark.parametrize(("rows", "training"), [(0, False), (1, False), (1, True), (6, True)])
def test_any_number_of_rows(rows: int, training: bool, norm: str) -> None:
    layer = FeatureLayer(4, norm=norm, dropout=0.1, dims=(5,)).train(training)
    found = layer(torch.randn(rows, 4))
    assert found.shape == (rows, 5)
    assert found.isfinite().all()


@pytest.mark.parametrize("grouped", [False, True])
def test_residual_towers_add_to_what_they_read(grouped: bool) -> None:
    torch.manual_seed(0)
    stack = GroupResidualMLP(2, 4, (4, 3))
    x = torch.randn(6, 2, 4) if grouped else torch.randn(6, 4)
    for group in range(2):
        own = x[:, group] if grouped else x
        first, second = stack.layers[0].layers[0], stack.layers[1].layers[0]
        hidden = own + (own @ first.weight[group].T + first.bias[group]).relu()
        kept = hidden @ stack.shortcuts[1].weight[group].T
        expected = kept + (hidden @ second.weight[group].T + second.bias[group]).relu()
        torch.testing.assert_close(stack(x)[:, group], expected, atol=1e-6, rtol=1e-5)


def test_towers_without_hidden_layers_have_nothing_to_add_to() -> None:
    assert Towers(2, 4, (), residual=True)(torch.randn(6, 2, 4)).shape == (6, 2)


SCHEMA = gw.Schema(
    features=[gw.Categorical("tab", dim=2), gw.Numeric("age")], tasks=[gw.Binary("click"), gw.Binary("buy")]
)
ROWS = {"tab": ["a", "b"] * 20, "age": [1.0, 2.0, 3.0, 4.0] * 10, "click": [0, 1] * 20, "buy": [0, 0, 1, 0] * 10}


@pytest.mark.parametrize("kind", ["mmoe", "ple", "shared_bottom", "cross_stitch"])
def test_in_front_of_any_trunk(kind: str, tmp_path) -> None:
    options = {"input_norm": "batch", "input_dropout": 0.1, "shared_dims": [7, 6], "tower_residual": True}
    ranker = gw.Ranker(SCHEMA, {"kind": kind, **options}, epochs=2, batch_size=10).fit(ROWS)
    model = ranker.scorer.model
    assert model.feature_layer.output_dim == 6
    assert isinstance(model.towers.hidden, GroupResidualMLP)
    ranker.save(tmp_path / "model")
    assert gw.load(tmp_path / "model").predict(ROWS).equals(ranker.predict(ROWS))


def test_nothing_asked_for_is_no_layer() -> None:
    assert gw.Ranker(SCHEMA, epochs=1).fit(ROWS).scorer.model.feature_layer is None


@pytest.mark.parametrize(
    ("model", "needs"),
    [
        (gw.MMoE(shared_dims=[4], gate=gw.SoftmaxGate(features=["tab"])), "gate.features"),
        (gw.PEPNet(shared_dims=[4], scenario=["tab"], priors=["age"]), "scenario"),
        (gw.FacetAwareMoE(shared_dims=[4], facet="tab"), "facet"),
        (gw.STEM(shared_dims=[4]), "a set of embeddings a task"),
    ],
)
def test_shared_layers_leave_no_columns_to_name(model: Any, needs: str) -> None:
    message = f"shared_dims: mixes all features, and {needs} needs them apart"
    with pytest.raises(DeclarationError, match=re.escape(message)):
        gw.Ranker(SCHEMA, model)
