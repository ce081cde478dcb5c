"""Learnt poolings: padding never matters, and each does what its paper says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import gatewise as gw
from gatewise.errors import DeclarationError, ShapeError
from gatewise.nn import Padded, RecurrentPooling, TargetAttention, TransformerPooling

DIM, OUT = 4, 6
LENGTHS = (3, 0, 5, 1)
POOLINGS: dict[str, Callable[[], nn.Module]] = {
    "lstm": lambda: RecurrentPooling("lstm", DIM, OUT),
    "gru": lambda: RecurrentPooling("gru", DIM, OUT),
    "transformer": lambda: TransformerPooling(DIM, OUT, heads=2, layers=2),
    "attention": lambda: TargetAttention(DIM, (5,)),
    "normalised attention": lambda: TargetAttention(DIM, (), normalise=True),
}


def made(name: str) -> nn.Module:
    torch.manual_seed(0)
    return POOLINGS[name]()


def items(extra: int = 0) -> tuple[Padded, Tensor]:
    torch.manual_seed(1)
    longest = max(LENGTHS) + extra
    present = torch.arange(longest) < torch.tensor(LENGTHS).unsqueeze(1)
    full, target = torch.randn(len(LENGTHS), max(LENGTHS), DIM), torch.randn(len(LENGTHS), DIM)
    vectors = torch.cat([full, torch.zeros(len(LENGTHS), extra, DIM)], dim=1) * present.unsqueeze(2)
    return Padded(vectors, present), target


@pytest.mark.parametrize("extra", [0, 7])
@pytest.mark.parametrize("name", POOLINGS)
def test_each_row_is_as_if_alone_and_unpadded(name: str, extra: int) -> None:
    pooling, (padded, target) = made(name).eval(), items(extra)
    found = pooling(padded, target)
    assert found.shape == (len(LENGTHS), pooling.output_dim)
    for row, length in enumerate(LENGTHS):
        alone = Padded(padded.vectors[row : row + 1, :length], torch.ones(1, length, dtype=torch.bool))
        torch.testing.assert_close(found[row : row + 1], pooling(alone, target[row : row + 1]), atol=1e-6, rtol=1e-5)
    assert not found[1].any()


@pytest.mark.parametrize("name", POOLINGS)
def test_padding_gets_no_gradient_and_breaks_none(name: str) -> None:
    pooling, (padded, target) = made(name), items(2)
    vectors = padded.vectors.requires_grad_()
    pooling(Padded(vectors, padded.present), target).square().sum().backward()
    assert not vectors.grad[~padded.present].any()
    assert vectors.grad[padded.present].any(dim=1).all()
    assert all(p.grad is None or p.grad.isfinite().all() for p in pooling.parameters())


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0, 0)])
@pytest.mark.parametrize("name", POOLINGS)
def test_no_rows_and_no_items(name: str, shape: tuple[int, int]) -> None:
    pooling = made(name)
    nothing = Padded(torch.empty(*shape, DIM), torch.empty(shape, dtype=torch.bool))
    found = pooling(nothing, torch.randn(shape[0], DIM))
    assert found.shape == (shape[0], pooling.output_dim)
    assert not found.any()


@pytest.mark.parametrize("name", ["lstm", "gru", "transformer"])
def test_the_order_counts(name: str) -> None:
    pooling, present = made(name).eval(), torch.ones(1, 4, dtype=torch.bool)
    vectors = torch.randn(1, 4, DIM)
    assert not torch.allclose(pooling(Padded(vectors, present)), pooling(Padded(vectors.flip(1), present)), atol=1e-4)


def test_target_attention_by_loops() -> None:
    pooling, (padded, target) = made("attention"), items()
    first, last = pooling.hidden.layers[0], pooling.linear
    for row, length in enumerate(LENGTHS):
        expected = torch.zeros(DIM)
        for e in padded.vectors[row, :length]:
            t = target[row]
            pair = torch.cat([e, t, e - t, e * t])
            hidden = nn.functional.silu(first.weight[0] @ pair + first.bias[0])
            expected = expected + (last.weight[0] @ hidden + last.bias[0]) * e
        torch.testing.assert_close(pooling(padded, target)[row], expected, atol=1e-6, rtol=1e-5)


def test_normalised_weights_sum_to_one() -> None:
    padded, target = items(3)
    weights = made("normalised attention").weights(padded, target)
    assert weights.sum(dim=1).tolist() == pytest.approx([1.0, 0.0, 1.0, 1.0])
    assert not weights[~padded.present].any()


def test_unknown_cells_and_heads_are_refused() -> None:
    with pytest.raises(ShapeError, match="cell: expected lstm or gru, found 'lstn'; did you mean 'lstm'"):
        RecurrentPooling("lstn", 2, 2)
    with pytest.raises(ShapeError, match="dim: expected a multiple of 4 heads, found 6"):
        TransformerPooling(2, 6, heads=4)


LEARNT = {
    "attention": gw.Attention("item", dims=[3]),
    "gru": gw.GRU(dim=5),
    "transformer": gw.Transformer(dim=6, heads=3),
}
ROWS: dict[str, Any] = {
    "item": [1, 2, 3, 4] * 10,
    "history": [[1, 2], [], [3, 3, 1, 4], [2]] * 10,
    "age": [0.1, 0.5, -1.0, 2.0, 0.3] * 8,
    "click": [0, 1, 1, 0, 1] * 8,
    "buy": [0, 0, 1, 0] * 10,
}


def schema(pooling: Any) -> gw.Schema:
    return gw.Schema(
        features=[
            gw.Numeric("age"),
            gw.Categorical("item", dim=4),
            gw.Sequence("history", shares="item", pooling=pooling),
        ],
        tasks=[gw.Binary("click"), gw.Binary("buy")],
    )


@pytest.mark.parametrize("kind", LEARNT)
def test_learnt_poolings_in_a_ranker(kind: str, tmp_path) -> None:
    ranker = gw.Ranker(schema(LEARNT[kind]), epochs=2, batch_size=10).fit(ROWS)
    ranker.save(tmp_path / "model")
    loaded = gw.load(tmp_path / "model")
    assert loaded.predict(ROWS).equals(ranker.predict(ROWS))
    layer = loaded.scorer.model.input_layer
    widths = {"attention": 4, "gru": 5, "transformer": 6}
    assert len(layer.columns_of("history")) == widths[kind]
    # its weights are dense ones: they decay, and do not count as embeddings
    names = {id(p): name for name, p in loaded.scorer.model.named_parameters()}
    assert any("poolings" in names[id(weight)] for weight in loaded.scorer.model.dense_weights())


@pytest.mark.parametrize("kind", LEARNT)
def test_lazy_and_dense_updates_agree_through_a_learnt_pooling(kind: str) -> None:
    def weights(update: str) -> dict[str, Tensor]:
        options = {"optimizer": "sgd", "momentum": 0.0, "lr": 0.1, "embedding_update": update}
        return gw.Ranker(schema(LEARNT[kind]), epochs=3, batch_size=8, **options).fit(ROWS).scorer.model.state_dict()

    lazy, dense = weights("lazy"), weights("dense")
    for name, weight in dense.items():
        torch.testing.assert_close(lazy[name], weight, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("pooling", "message"),
    [
        (gw.Attention("itm"), "its target 'itm' is no categorical feature; did you mean 'item'"),
        (gw.Attention("age"), "its target 'age' is no categorical feature"),
        (gw.Transformer(heads=3), "sequence 'history': its width 4 is no multiple of 3 heads"),
    ],
)
def test_poolings_that_do_not_fit_are_refused(pooling: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        schema(pooling)


def test_a_target_of_another_width_is_refused() -> None:
    features = [gw.Categorical("item", dim=4), gw.Sequence("history", dim=3, pooling=gw.Attention("item"))]
    with pytest.raises(DeclarationError, match="its target 'item' has dim 4, the sequence has 3"):
        gw.Schema(features=features, tasks=[gw.Binary("click")])


@pytest.mark.parametrize("model", ["mmoe", "shared_bottom", "ple"])
def test_unpooled_sequences_need_a_model_that_reads_them(model: str) -> None:
    with pytest.raises(DeclarationError, match=r"feature .history.: pooling None needs a model that reads sequences"):
        gw.Ranker(schema(None), model)


def test_stem_has_no_learnt_poolings() -> None:
    with pytest.raises(DeclarationError, match="feature 'history': stem needs pooling mean, sum or max"):
        gw.Ranker(schema(gw.GRU()), "stem")
