"""Weighted poolings: the equation, zeros where nothing weighs, nothing of padding, and pieces."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from gatewise.errors import ShapeError
from gatewise.layout import EmbeddingField, Layout, ListColumn, NumberList
from gatewise.nn import InputLayer, Inputs, Padded, Ragged, TensorTable, WeightedPooling, gathered
from gatewise.nn.sequences import in_pieces

ITEMS = Padded(torch.tensor([[[2.0, 4.0], [8.0, 0.0], [0.0, 0.0]]] * 2), torch.tensor([[True, True, False]] * 2))


@pytest.mark.parametrize(("kind", "expected"), [("mean", [4.0, 8 / 3]), ("sum", [6.0, 4.0])])
@pytest.mark.parametrize("beside_padding", [0.0, 7.0, float("nan")])
def test_the_pooled_vector_is_the_weighted_mean_or_sum(kind: str, expected: list[float], beside_padding: float) -> None:
    weights = torch.tensor([[1.0, 0.5, beside_padding], [0.0, 0.0, beside_padding]])
    found = WeightedPooling(kind, 2)(ITEMS, weights)
    torch.testing.assert_close(found, torch.tensor([expected, [0.0, 0.0]]))


def test_a_mean_does_not_depend_on_the_unit_of_the_weights() -> None:
    weights = torch.tensor([[1.0, 0.5, 0.0]] * 2)
    pooling = WeightedPooling("mean", 2)
    for unit in (1e-30, 1.0, 3e38):
        torch.testing.assert_close(pooling(ITEMS, weights * unit), pooling(ITEMS, weights))


@pytest.mark.parametrize("length", [0, 2])
def test_rows_without_items_are_zeros(length: int) -> None:
    nothing = Padded(torch.zeros(3, length, 2), torch.zeros(3, length, dtype=torch.bool))
    for kind in ("mean", "sum"):
        assert WeightedPooling(kind, 2)(nothing, torch.full((3, length), torch.nan)).tolist() == [[0.0, 0.0]] * 3


def layer_of(pooling: str) -> InputLayer:
    torch.manual_seed(0)
    fields, lists = (EmbeddingField("tags", 30, 4),), (ListColumn("tags", 0, pooling, weights=0),)
    layer = InputLayer(Layout(fields=fields, lists=lists, number_lists=(NumberList("tags.weights", "tags"),)))
    with torch.no_grad():
        layer.tables.weight_of_dim(4).normal_()
    return layer


def table() -> TensorTable:
    offsets = torch.tensor([3, 0, 9, 1, 1, 4, 0, 2]).cumsum(0)
    offsets = torch.cat([torch.zeros(1, dtype=torch.int64), offsets])
    ids, weights = torch.randint(0, 30, (20,), dtype=torch.int32), torch.rand(20)
    return TensorTable(
        torch.empty(8, 0, dtype=torch.int64),
        (Ragged(ids, offsets),),
        torch.empty(8, 0),
        torch.full((8, 1), torch.nan, dtype=torch.float64),
        number_lists=(Ragged(weights, offsets),),
    )


@pytest.mark.parametrize("pooling", ["mean", "sum"])
def test_pieces_pool_what_a_whole_does(pooling: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, layer, index = table(), layer_of(pooling), torch.tensor([5, 2, 7, 1, 0, 3, 4, 6, 2])

    def run() -> tuple[Tensor, Tensor]:
        layer.zero_grad()
        x = layer(rows.inputs(index)).x
        (x * torch.arange(1.0, x.numel() + 1).view_as(x).sin()).sum().backward()
        return x.detach(), layer.tables.weight_of_dim(4).grad.clone()

    whole = run()
    for places in (1, 7, 40):
        monkeypatch.setattr(in_pieces, "PLACES", places)
        torch.testing.assert_close(run(), whole, atol=1e-5, rtol=1e-5)


def test_weights_move_with_their_items() -> None:
    rows, layer = table(), layer_of("mean")
    found = gathered(rows, layer.layout, torch.arange(8), {"tags": torch.arange(8).flip(0)})
    torch.testing.assert_close(layer(found).x, layer(rows.inputs(torch.arange(8))).x.flip(0))
    part = rows.part(slice(2, 6))
    torch.testing.assert_close(layer(part.inputs(torch.arange(4))).x, layer(rows.inputs(torch.arange(2, 6))).x)


def test_a_table_of_other_weights_has_another_digest() -> None:
    rows = table()
    offsets, values = rows.number_lists[0].offsets, rows.number_lists[0].values.clone()
    same = replace(rows, number_lists=(Ragged(values.clone(), offsets),))
    values[3] += 1
    other = replace(rows, number_lists=(Ragged(values, offsets),))
    assert rows.digest() == same.digest() != other.digest()


def test_weights_that_do_not_stand_beside_their_items_are_refused() -> None:
    layer, ids = layer_of("mean"), torch.tensor([[1, 2, -1]])
    with pytest.raises(ShapeError, match="expected 1 lists of numbers, found 0"):
        layer(Inputs(torch.empty(1, 0), (ids,), torch.empty(1, 0)))
    with pytest.raises(ShapeError, match=r"lists of 'tags' of shape \[1, 3\], as its first one has, found \[1, 2\]"):
        layer(Inputs(torch.empty(1, 0), (ids,), torch.empty(1, 0), number_lists=(torch.ones(1, 2),)))
