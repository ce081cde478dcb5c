"""Embedded numbers: each does what its paper says, alone, together, in the input layer and in a ranker."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import gatewise as gw
from gatewise.errors import ShapeError
from gatewise.layout import EmbeddingField, Layout, ListColumn, NumberColumn, PeriodicNumber, PiecewiseLinearNumber
from gatewise.nn import InputLayer, Inputs, PeriodicEmbeddings, PiecewiseLinearEmbeddings

EDGES = [[-1.0, 0.0, 2.0, 3.0], [0.0, 10.0]]


def shaken(module: nn.Module) -> Any:
    """Return the module with weights that are none of those it starts with."""
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.randn_like(parameter))
    return module


def positions(edges: list[float], *numbers: float) -> list[list[float]]:
    found: Tensor = PiecewiseLinearEmbeddings([edges], 1).encode(torch.tensor(numbers).unsqueeze(1))
    return found.squeeze(1).tolist()


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0.5, [1, 0.25, 0]),  # inside a bin
        (-0.75, [0.25, 0, 0]),
        (2.75, [1, 1, 0.75]),
        (-1.0, [0, 0, 0]),  # at an edge
        (0.0, [1, 0, 0]),
        (2.0, [1, 1, 0]),
        (3.0, [1, 1, 1]),
        (-3.0, [-2, 0, 0]),  # below the first
        (5.0, [1, 1, 3]),  # above the last
    ],
)
def test_positions_in_bins_by_hand(number: float, expected: list[float]) -> None:
    assert positions(EDGES[0], number) == [expected]


def test_a_single_bin_is_open_on_both_sides() -> None:
    assert positions([0.0, 10.0], -5.0, 0.0, 5.0, 20.0) == [[-0.5], [0.0], [0.5], [2.0]]


def test_piecewise_linear_by_hand() -> None:
    embeddings = shaken(PiecewiseLinearEmbeddings(EDGES, 4))
    weight, bias, slope = embeddings.linear.weight, embeddings.linear.bias, embeddings.slope
    first = slope[0] * 0.5 + weight[0] @ torch.tensor([1, 0.25, 0]) + bias[0]
    second = slope[1] * -5 + weight[1, :, 0] * -0.5 + bias[1]
    torch.testing.assert_close(embeddings(torch.tensor([[0.5, -5.0]])), torch.stack([first, second]).unsqueeze(0))


def test_piecewise_linear_starts_as_a_line_as_long_as_the_number() -> None:
    torch.manual_seed(0)
    embeddings, x = PiecewiseLinearEmbeddings([EDGES[0]] * 500, 8), torch.tensor([[1.0], [2.0], [-30.0]])
    lines = embeddings(x.expand(3, 500))
    torch.testing.assert_close(lines, x.unsqueeze(2) * lines[:1])
    assert lines[0].norm(dim=1).square().mean().item() == pytest.approx(1, abs=0.05)


def test_periodic_by_hand() -> None:
    embeddings = shaken(PeriodicEmbeddings(2, 2, 0.1, 3))
    x = torch.tensor([[0.5, -2.0]])
    for feature, number in enumerate(x[0].tolist()):
        angles = [2 * math.pi * c * number for c in embeddings.frequencies[feature].tolist()]
        encoded = torch.tensor([*map(math.sin, angles), *map(math.cos, angles)])
        expected = (embeddings.linear.weight[feature] @ encoded + embeddings.linear.bias[feature]).relu()
        torch.testing.assert_close(embeddings(x)[0, feature], expected, atol=1e-5, rtol=1e-5)


def test_frequencies_are_drawn_with_sigma() -> None:
    torch.manual_seed(0)
    frequencies = PeriodicEmbeddings(100, 100, 0.5, 1).frequencies
    # a normal distribution without what lies beyond three deviations
    assert frequencies.std().item() == pytest.approx(0.5 * 0.9866, abs=0.01)
    assert frequencies.mean().item() == pytest.approx(0, abs=0.02)
    assert frequencies.abs().max() <= 1.5


@pytest.mark.parametrize("kind", ["piecewise_linear", "periodic"])
def test_gradients(kind: str) -> None:
    made = PiecewiseLinearEmbeddings(EDGES, 3) if kind == "piecewise_linear" else PeriodicEmbeddings(2, 3, 0.2, 3)
    embeddings = shaken(made).double()
    x = torch.tensor([[0.5, 3.0], [-2.0, 12.0], [2.5, -0.3]], dtype=torch.float64, requires_grad=True)
    names = list(dict(embeddings.named_parameters()))

    def run(x: Tensor, *parameters: Tensor) -> Tensor:
        given = dict(zip(names, parameters, strict=True))
        found: Tensor = torch.func.functional_call(embeddings, given, (x,))
        return found

    assert torch.autograd.gradcheck(run, (x, *embeddings.parameters()))


def test_together_as_one_at_a_time_and_bins_that_are_missing_change_nothing() -> None:
    x, together = torch.randn(50, 2) * 5, shaken(PiecewiseLinearEmbeddings(EDGES, 4))
    for feature, edges in enumerate(EDGES):
        alone = PiecewiseLinearEmbeddings([edges], 4)
        with torch.no_grad():
            alone.slope.copy_(together.slope[[feature]])
            alone.linear.weight.copy_(together.linear.weight[[feature], :, : len(edges) - 1])
            alone.linear.bias.copy_(together.linear.bias[[feature]])
        torch.testing.assert_close(together(x)[:, [feature]], alone(x[:, [feature]]))
    together(x).square().sum().backward()
    assert not together.linear.weight.grad[1, :, 1:].any()
    assert together.linear.weight.grad[0].all()


def test_periodic_together_as_one_at_a_time() -> None:
    x, together = torch.randn(50, 3), shaken(PeriodicEmbeddings(3, 4, 0.1, 5))
    for feature in range(3):
        alone = PeriodicEmbeddings(1, 4, 0.1, 5)
        alone.load_state_dict({name: value[[feature]] for name, value in together.state_dict().items()})
        torch.testing.assert_close(together(x)[:, [feature]], alone(x[:, [feature]]))


@pytest.mark.parametrize("edges", [[], [1.0], [1.0, 1.0], [0.0, 2.0, 1.0], [0.0, math.nan]])
def test_edges_that_do_not_rise_are_refused(edges: list[float]) -> None:
    with pytest.raises(ShapeError, match=r"edges\[1\]: expected two or more that rise, found \["):
        PiecewiseLinearEmbeddings([[0.0, 1.0], edges], 2)


def test_sizes_that_are_none_are_refused() -> None:
    with pytest.raises(ShapeError, match="features: expected a positive whole number, found 0"):
        PiecewiseLinearEmbeddings([], 2)
    with pytest.raises(ShapeError, match="frequencies: expected a positive whole number, found 0"):
        PeriodicEmbeddings(1, 0, 0.1, 2)
    with pytest.raises(ShapeError, match=r"sigma: expected a positive number, found 0\.0"):
        PeriodicEmbeddings(1, 2, 0.0, 2)


BINS, WAVES = PiecewiseLinearNumber((0.0, 1.0, 2.0), 2), PeriodicNumber(3, 0.1, 4)
LAYOUT = Layout(
    fields=(EmbeddingField("user", 6, 3), EmbeddingField("tag", 9, 2)),
    ids=(("user", 0),),
    lists=(ListColumn("tags", 1, "mean"),),
    floats=("age", "price", "price is null", "when", "mass", "size"),
    float_features=("age", "price", "price", "when", "mass", "size"),
    numbers=(
        NumberColumn("price", 1, BINS),
        NumberColumn("when", 3, WAVES),
        NumberColumn("mass", 4, PiecewiseLinearNumber((5.0, 6.0), 1)),
        NumberColumn("size", 5, PiecewiseLinearNumber((5.0, 6.0), 2)),
    ),
)


def test_columns_of_the_input_layer() -> None:
    torch.manual_seed(0)
    layer = InputLayer(LAYOUT)
    floats = torch.tensor([[7.0, 0.5, 0.0, 3.0, 2.0, 5.5], [8.0, 0.0, 1.0, 4.0, 5.0, 9.0]])
    x = layer(Inputs(torch.tensor([[5], [2]]), (torch.tensor([[2, 3], [4, -1]]),), floats)).x
    bins, waves, narrower = layer.numbers.embeddings
    price, size = bins(floats[:, [1, 5]]).unbind(1)
    when, mass = waves(floats[:, [3]]).squeeze(1), narrower(floats[:, [4]]).squeeze(1)
    # what is embedded alike stands together, the floats that are not embedded come last
    expected = torch.cat([price, size, when, mass, floats[:, [0, 2]]], dim=1)
    torch.testing.assert_close(x[:, layer.embedding_dim :], expected)
    assert x.shape == (2, layer.output_dim)
    assert layer.embedding_dim == 5
    assert layer.columns_of("price") == [5, 6, 15]
    assert layer.columns_of("size") == [7, 8]
    assert layer.columns_of("when") == [9, 10, 11, 12]
    assert layer.columns_of("mass") == [13]
    assert layer.columns_of("age") == [14]
    assert layer.blocks() == ([range(3), range(3, 5)], range(5, 16))


def test_numbers_alone_and_no_rows() -> None:
    layer = InputLayer(Layout(floats=("a",), numbers=(NumberColumn("a", 0, BINS),)))
    for rows in (0, 1):
        found = layer(Inputs(torch.empty(rows, 0, dtype=torch.long), (), torch.ones(rows, 1)))
        assert found.x.shape == (rows, 2)


def test_without_embedded_numbers_there_is_one_gather_with_the_floats_beside_it(monkeypatch) -> None:
    plain = Layout(fields=(EmbeddingField("user", 6, 3),), ids=(("user", 0),), floats=("age",))
    layer = InputLayer(plain)
    monkeypatch.setattr(torch, "cat", None)
    with torch.no_grad():
        found = layer(Inputs(torch.tensor([[5]]), (), torch.tensor([[0.5]]), checked=True)).x
    assert found[0, 3] == 0.5
    assert not list(layer.numbers.parameters())


EMBEDDINGS = {
    "piecewise_linear": gw.PiecewiseLinear(bins=5, dim=3),
    "periodic": gw.Periodic(frequencies=4, sigma=0.3, dim=3),
}
ROWS: dict[str, Any] = {
    "item": [1, 2, 3, 4] * 10,
    "tags": [["a"], ["b", "c"], [], ["a", "b"]] * 10,
    "age": [0.1, 0.5, -1.0, 2.0, None] * 8,
    "few": [0.0, 0.0, 1.0, 0.0] * 10,
    "price": [3.0, 4.0, 5.0, 6.0, 9.0] * 8,
    "click": [0, 1, 1, 0, 1] * 8,
    "buy": [0, 0, 1, 0] * 10,
}


def schema(embedding: Any) -> gw.Schema:
    return gw.Schema(
        features=[
            gw.Numeric("age", embedding=embedding),
            gw.Categorical("item", dim=4),
            gw.Sequence("tags", dim=2),
            gw.Numeric("few", embedding=embedding),
            gw.Numeric("price"),
        ],
        tasks=[gw.Binary("click"), gw.Binary("buy")],
    )


def fitted(kind: str, model: Any = "mmoe", **options: Any) -> gw.Ranker:
    return gw.Ranker(schema(EMBEDDINGS[kind]), model, **{"epochs": 3, "batch_size": 8, "lr": 0.05} | options).fit(ROWS)


@pytest.mark.parametrize("kind", EMBEDDINGS)
def test_a_ranker_is_saved_and_loaded(kind: str, tmp_path) -> None:
    ranker = fitted(kind)
    ranker.save(tmp_path / "model")
    loaded = gw.load(tmp_path / "model")
    assert loaded.predict(ROWS).equals(ranker.predict(ROWS))
    assert loaded.scorer.encoder.layout == ranker.scorer.encoder.layout
    beyond = {**ROWS, "age": [-50.0, 50.0] * 20, "few": [None] * 40}
    assert loaded.predict(beyond).equals(ranker.predict(beyond))
    assert np.isfinite(ranker.predict(beyond)["click"].to_numpy()).all()


@pytest.mark.parametrize("kind", EMBEDDINGS)
def test_same_seed_same_numbers(kind: str) -> None:
    assert fitted(kind, seed=5).predict(ROWS).equals(fitted(kind, seed=5).predict(ROWS))
    assert not fitted(kind, seed=5).predict(ROWS).equals(fitted(kind, seed=6).predict(ROWS))


@pytest.mark.parametrize("kind", EMBEDDINGS)
def test_growth_changes_no_prediction(kind: str) -> None:
    ranker = fitted(kind)
    unseen = {**ROWS, "item": [1, 2, 99, 100] * 10}
    before = ranker.predict(unseen)
    assert ranker.extend_vocabulary(unseen)["item"] == 2
    assert ranker.predict(unseen).equals(before)


@pytest.mark.parametrize("kind", EMBEDDINGS)
def test_their_parameters_are_dense_ones(kind: str) -> None:
    model = fitted(kind).scorer.model
    numbers = sum(p.numel() for p in model.input_layer.numbers.parameters())
    # two features: slopes, weights of the three bins between four ages and biases; or frequencies, weights and biases
    assert numbers == 2 * (3 + 3 * 3 + 3 if kind == "piecewise_linear" else 4 + 3 * 8 + 3)
    without = model.num_parameters(embeddings=False)
    assert without - numbers == sum(p.numel() for part in (model.trunk, model.towers) for p in part.parameters())
    decayed = {id(weight) for weight in model.dense_weights()}
    names = {name for name, p in model.input_layer.named_parameters() if id(p) in decayed}
    assert names == {"numbers.embeddings.0.linear.weight"}


def test_weights_of_bins_that_are_missing_stay_zero() -> None:
    ranker = fitted("piecewise_linear", optimizer="adamw", weight_decay=0.1)
    of_age, of_few = ranker.scorer.model.input_layer.numbers.embeddings[0].linear.weight
    assert not of_few[:, 1:].any()
    assert of_few[:, 0].all()
    assert of_age.any()


@pytest.mark.parametrize("kind", EMBEDDINGS)
def test_lazy_and_dense_updates_agree(kind: str) -> None:
    options = {"optimizer": "sgd", "momentum": 0.0, "lr": 0.1}
    lazy, dense = (
        fitted(kind, embedding_update=update, **options).scorer.model.state_dict() for update in ("lazy", "dense")
    )
    for name, weight in dense.items():
        torch.testing.assert_close(lazy[name], weight, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", EMBEDDINGS)
def test_a_null_is_the_mean_with_a_flag_beside_it(kind: str) -> None:
    scorer = fitted(kind).scorer
    layer, encoder = scorer.model.input_layer, scorer.encoder.columns["age"]
    table = {**ROWS, "age": [None, encoder.mean] * 20}
    null, mean = layer(scorer.tensors(scorer.encode(table, labels=False)).inputs(torch.tensor([0, 1]))).x
    *vector, flag = layer.columns_of("age")
    assert len(vector) == 3
    assert torch.equal(null[vector], mean[vector])
    assert (null[flag].item(), mean[flag].item()) == (1, 0)


@pytest.mark.parametrize("kind", EMBEDDINGS)
def test_on_the_side_all_columns_of_a_number_are(kind: str) -> None:
    ranker = fitted(kind, gw.MMoE(side=gw.SideTower(["age"])))
    layer, model = ranker.scorer.model.input_layer, ranker.scorer.model
    assert model.side_columns.tolist() == layer.columns_of("age")
    assert len(layer.columns_of("age")) == 4
    bare = {name: column for name, column in ROWS.items() if name != "age"}
    assert ranker.predict({**ROWS, "age": [5.0] * 40}).equals(ranker.predict(bare))


NAMED = {
    "facet": gw.FacetAwareMoE(facet="item"),
    "priors": gw.PEPNet(scenario=["few"], priors=["age", "item"]),
    "gate": gw.MMoE(gate=gw.SoftmaxGate(features=["age"])),
    "embedding sets": gw.STEM(),
    "feature gates": gw.HoME(groups={"both": ["click", "buy"]}),
}


@pytest.mark.parametrize("model", NAMED.values(), ids=NAMED)
@pytest.mark.parametrize("kind", EMBEDDINGS)
def test_models_that_read_features_by_name(kind: str, model: Any) -> None:
    assert np.isfinite(fitted(kind, model, lr=0.001).predict(ROWS)["click"].to_numpy()).all()


def test_numbers_are_in_every_embedding_set() -> None:
    model = fitted("periodic", gw.STEM()).scorer.model
    shared = set(range(model.input_layer.embedding_dim, model.input_layer.output_dim))
    assert all(shared <= set(columns.tolist()) for columns in model.trunk.columns)
    assert set(model.input_layer.columns_of("age")) <= shared


def test_l2_of_embeddings_does_not_act_on_numbers() -> None:
    model = fitted("periodic", gw.MMoE(l2_embedding=1.0)).scorer.model
    with torch.no_grad():
        for table in model.input_layer.tables.parameters():
            table.zero_()
    inputs = Inputs(
        torch.zeros(2, 1, dtype=torch.long), (torch.zeros(2, 1, dtype=torch.long),), torch.ones(2, 4), checked=True
    )
    assert model(inputs).penalty.item() == 0


@pytest.mark.parametrize("kind", EMBEDDINGS)
@pytest.mark.parametrize("options", [{"precision": "bf16"}, {"batch_size": 39}, {"accumulate": 2, "clip_norm": 1.0}])
def test_half_precision_a_batch_of_one_row_and_accumulation(kind: str, options: dict[str, Any]) -> None:
    ranker = fitted(kind, **options)
    assert np.isfinite(ranker.predict(ROWS)["click"].to_numpy()).all()


NUMBER = np.random.default_rng(0).uniform(-3, 3, 3_000)
WAVE, STEPS = np.sin(3 * NUMBER), np.floor(NUMBER) % 2


@pytest.mark.parametrize(("kind", "target", "least"), [("piecewise_linear", STEPS, 0.8), ("periodic", WAVE, 0.9)])
def test_what_a_small_model_cannot_learn_of_a_plain_number(kind: str, target: np.ndarray, least: float) -> None:
    table = {"x": NUMBER, "y": target}

    def r2(embedding: Any) -> float:
        made = gw.Schema(features=[gw.Numeric("x", embedding=embedding)], tasks=[gw.Regression("y")])
        model = gw.SingleTask(bottom_dims=[16], tower_dims=[])
        ranker = gw.Ranker(made, model, epochs=10, batch_size=128, lr=0.01, seed=0).fit(table)
        return ranker.evaluate(table)["y"]["r2"] or 0.0

    assert r2(gw.Periodic(sigma=0.3) if kind == "periodic" else kind) > least > 0.5 > r2(None)


def test_flat_numbers_stay_at_the_outermost_edges() -> None:
    line, flat = (shaken(PiecewiseLinearEmbeddings(EDGES, 3, flat=flat)) for flat in (False, True))
    inside = torch.tensor([[-1.0, 0.0], [2.5, 10.0], [0.3, 4.0]])
    torch.testing.assert_close(flat(inside), line(inside))
    beyond = torch.tensor([[-9.0, -1.0], [5.0, 1e6]])
    torch.testing.assert_close(flat(beyond), line(torch.tensor([[-1.0, 0.0], [3.0, 10.0]])))
    assert not torch.equal(line(beyond), flat(beyond))
