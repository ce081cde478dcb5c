from __future__ import annotations

import pytest
import torch

from gatewise.errors import ShapeError
from gatewise.layout import EmbeddingField, Layout, ListColumn
from gatewise.nn import Hidden, InputLayer, MMoE, MultiTaskModel, Ragged, SharedBottom, TensorTable, Towers

LAYOUT = Layout(
    (EmbeddingField("user", 8, 3), EmbeddingField("tag", 7, 2)),
    (("user", 0),),
    (ListColumn("tags", 1, "mean"),),
    ("age",),
)


def table(rows: int) -> TensorTable:
    draw = torch.Generator().manual_seed(rows)
    offsets = torch.cat([torch.zeros(1).long(), torch.randint(0, 4, (rows,), generator=draw).cumsum(0)])
    return TensorTable(
        torch.randint(0, 8, (rows, 1), generator=draw),
        (Ragged(torch.randint(0, 7, (int(offsets[-1]),), generator=draw), offsets),),
        torch.randn(rows, 1, generator=draw),
        torch.zeros(rows, 2, dtype=torch.float64),
    )


def model(**penalties: float) -> MultiTaskModel:
    torch.manual_seed(0)
    layer = InputLayer(LAYOUT)
    trunk = MMoE(layer.output_dim, 2, experts=3, expert_dims=(4,), hidden=Hidden(norm="batch", dropout=0.3))
    return MultiTaskModel(layer, trunk, Towers(2, 4, (3,), hidden=Hidden(dropout=0.3)), **penalties)


def test_score_is_forward_for_any_batch_size() -> None:
    ranker, rows = model(), table(23)
    ranker.eval()
    with torch.no_grad():
        output = ranker(rows.inputs(torch.arange(23)))
    ranker.train()
    for batch_size in (1, 5, 23, 1000):
        scores, gates = ranker.score(rows, batch_size, gates=True)
        torch.testing.assert_close(scores, output.scores, atol=1e-6, rtol=0)
        torch.testing.assert_close(gates, output.gates, atol=1e-6, rtol=0)
        assert scores.dtype == torch.float32
        assert not scores.requires_grad
    assert ranker.training
    assert ranker.score(rows)[1] is None


def test_score_leaves_the_mode_as_it_was() -> None:
    ranker = model().eval()
    ranker.score(table(3))
    assert not ranker.training
    bad = table(3)
    bad.ids[1] = 8
    with pytest.raises(ShapeError, match="feature 'user': id 8"):
        ranker.train().score(bad)
    assert ranker.training


def test_score_of_no_rows_and_without_gates() -> None:
    scores, gates = model().score(table(0), gates=True)
    assert scores.shape == (0, 2)
    assert gates is not None
    assert gates.shape == (0, 2, 3)
    layer = InputLayer(LAYOUT)
    plain = MultiTaskModel(layer, SharedBottom(layer.output_dim, 2, bottom_dims=(4,)), Towers(2, 4, ()))
    assert plain.score(table(3), gates=True)[1] is None


@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize("training", [False, True])
def test_forward_of_no_row_and_one_row(rows: int, training: bool) -> None:
    output = model().train(training)(table(rows).inputs(torch.arange(rows)))
    assert output.scores.shape == (rows, 2)
    assert output.gates.shape == (rows, 2, 3)
    assert output.scores.isfinite().all()


def test_penalty_by_hand() -> None:
    rows = table(11)
    inputs = rows.inputs(torch.arange(11))
    ranker = model(l2_embedding=0.3, l2_dense=0.01)
    embedded = ranker.input_layer(inputs).x[:, :-1]  # without the float
    of_embeddings = 0.3 * sum(float(row.detach().square().sum()) for row in embedded) / 11
    names = [name for name, _ in ranker.named_parameters() if name.endswith("weight")]
    dense = [name for name in names if "tables" not in name and "batch" not in name]
    assert dense == [
        "trunk.levels.0.experts.mlp.layers.0.weight",
        "trunk.levels.0.gates.linear.weight",
        "towers.weight",
        "towers.hidden.layers.0.weight",
    ]
    of_weights = 0.01 * sum(float(ranker.get_parameter(name).detach().square().sum()) for name in dense)
    assert ranker(inputs).penalty.item() == pytest.approx(of_embeddings + of_weights, rel=1e-6)
    assert model(l2_embedding=0.3)(inputs).penalty.item() == pytest.approx(of_embeddings, rel=1e-6)
    assert model(l2_dense=0.01)(inputs).penalty.item() == pytest.approx(of_weights, rel=1e-6)
    assert model()(inputs).penalty is None


def test_the_absolute_penalty_by_hand() -> None:
    rows = table(11)
    inputs = rows.inputs(torch.arange(11))
    ranker = model(l1_embedding=0.3, l1_dense=0.01, l2_dense=0.02)
    of_embeddings = 0.3 * float(ranker.input_layer(inputs).x[:, :-1].detach().abs().sum()) / 11
    of_weights = sum(float((0.01 * w.abs() + 0.02 * w.square()).detach().sum()) for w in ranker.dense_weights())
    assert ranker(inputs).penalty.item() == pytest.approx(of_embeddings + of_weights, rel=1e-6)


def test_num_parameters_by_hand() -> None:
    tables = 8 * 3 + 7 * 2
    width = 3 + 2 + 1
    experts = 3 * (width * 4 + 4) + 2 * 3 * 4  # with batch normalisation
    gates = 2 * 3 * width
    towers = 2 * (4 * 3 + 3) + 2 * (3 + 1)
    assert model().num_parameters() == tables + experts + gates + towers
    assert model().num_parameters(embeddings=False) == experts + gates + towers
