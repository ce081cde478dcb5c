from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from gatewise.errors import ShapeError
from gatewise.layout import EmbeddingField, Layout, ListColumn
from gatewise.nn import EmbeddingTables, InputLayer, Inputs, Ragged, TensorTable

FIELDS = (EmbeddingField("user", 6, 3), EmbeddingField("tag", 9, 2), EmbeddingField("item", 5, 3))
LAYOUT = Layout(
    fields=FIELDS,
    ids=(("user", 0), ("main_tag", 1), ("item", 2)),
    lists=(ListColumn("tags", 1, "mean"), ListColumn("seen", 2, "sum"), ListColumn("liked", 2, "max")),
    floats=("age", "price"),
)
NO_IDS, NO_FLOATS = torch.empty(2, 0, dtype=torch.long), torch.empty(2, 0)


def pooled(pooling: str, ids: Tensor, dim: int = 3) -> tuple[Tensor, np.ndarray]:
    """Return what the input layer makes of one list column, and the vectors of its field."""
    torch.manual_seed(0)
    layer = InputLayer(Layout((EmbeddingField("tag", 20, dim),), (), (ListColumn("tags", 0, pooling),)))
    rows = len(ids)
    output = layer(Inputs(torch.empty(rows, 0, dtype=torch.long), (ids,), torch.empty(rows, 0))).x
    return output.detach(), layer.tables.rows_of(0).detach().numpy()


def test_columns_in_order_each_from_its_own_field() -> None:
    torch.manual_seed(0)
    layer = InputLayer(LAYOUT)
    user, tag, item = (layer.tables.rows_of(field) for field in range(3))
    floats = torch.tensor([[0.5, 7.0], [-1.0, 2.0]])
    inputs = Inputs(
        torch.tensor([[5, 8, 4], [2, 0, 1]], dtype=torch.int32),
        (torch.tensor([[2, 3], [4, -1]]), torch.tensor([[4], [-1]]), torch.tensor([[2, 3, 3], [4, -1, -1]])),
        floats,
    )
    # widths in order of first appearance: user and item (3), then the tag (2); then lists, then floats
    expected = torch.stack(
        [
            torch.cat([user[5], item[4], tag[8], (tag[2] + tag[3]) / 2, item[4], item[2].maximum(item[3]), floats[0]]),
            torch.cat([user[2], item[1], tag[0], tag[4], torch.zeros(3), item[4], floats[1]]),
        ]
    )
    torch.testing.assert_close(layer(inputs).x, expected, atol=1e-7, rtol=0)
    assert layer.output_dim == expected.shape[1] == 18
    assert layer.embedding_dim == 16


def test_reserved_rows_start_at_zero_and_others_do_not() -> None:
    tables = EmbeddingTables([EmbeddingField("a", 5, 3), EmbeddingField("b", 5, 3), EmbeddingField("c", 5, 3, 0)])
    for field, reserved in enumerate((2, 2, 0)):
        rows = tables.rows_of(field)
        assert not rows[:reserved].any()
        assert rows[reserved:].ne(0).any(dim=1).all()


@pytest.mark.parametrize("bad", [-1, 6, 100])
@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_an_id_out_of_range_names_the_feature(bad: int, dtype: torch.dtype) -> None:
    tables = EmbeddingTables(FIELDS)
    with pytest.raises(ShapeError, match=rf"feature 'user': id {bad} is out of range, its table has rows 0 to 5"):
        tables(0, torch.tensor([1, bad, 0], dtype=dtype))


@pytest.mark.parametrize(
    ("column", "bad", "name"), [(0, 6, "user"), (0, -1, "user"), (1, 9, "main_tag"), (2, 5, "item"), (2, -1, "item")]
)
def test_the_check_finds_every_column(column: int, bad: int, name: str) -> None:
    ids = torch.zeros(3, 3, dtype=torch.int32)
    lists = tuple(Ragged(torch.tensor([4]), torch.tensor([0, 0, 1, 1])) for _ in range(3))
    layer, table = InputLayer(LAYOUT), TensorTable(ids, lists, torch.zeros(3, 2), torch.zeros(3, 1))
    layer.check(table)
    ids[1, column] = bad
    with pytest.raises(ShapeError, match=rf"feature '{name}': id {bad} is out of range"):
        layer.check(table)


@pytest.mark.parametrize(("position", "name"), [(0, "tags"), (1, "seen"), (2, "liked")])
@pytest.mark.parametrize("bad", [-1, 9])
def test_the_check_finds_every_list(position: int, name: str, bad: int) -> None:
    lists = [Ragged(torch.tensor([0, 4]), torch.tensor([0, 1, 2])) for _ in range(3)]
    lists[position] = Ragged(torch.tensor([0, bad]), torch.tensor([0, 1, 2]))
    table = TensorTable(torch.zeros(2, 3, dtype=torch.int32), tuple(lists), torch.zeros(2, 2), torch.zeros(2, 1))
    with pytest.raises(ShapeError, match=rf"feature '{name}': id {bad} is out of range"):
        InputLayer(LAYOUT).check(table)


def test_padding_is_legal_in_padded_lists_only() -> None:
    layer = InputLayer(Layout((EmbeddingField("tag", 5, 2),), (), (ListColumn("tags", 0, "mean"),)))
    layer.check(Inputs(NO_IDS, (torch.tensor([[1, -1], [-1, -1]]),), NO_FLOATS))
    with pytest.raises(ShapeError, match="feature 'tags': id -2"):
        layer.check(Inputs(NO_IDS, (torch.tensor([[1, -2], [-1, -1]]),), NO_FLOATS))


@pytest.mark.parametrize(
    ("ids", "lists", "floats", "message"),
    [
        (2, 3, 2, "expected 3 id columns, found 2"),
        (3, 2, 2, "expected 3 list columns, found 2"),
        (3, 3, 1, "expected 2 float columns, found 1"),
    ],
)
def test_the_check_counts_columns(ids: int, lists: int, floats: int, message: str) -> None:
    inputs = Inputs(
        torch.zeros(2, ids, dtype=torch.long), (torch.zeros(2, 1, dtype=torch.long),) * lists, torch.zeros(2, floats)
    )
    with pytest.raises(ShapeError, match=message):
        InputLayer(LAYOUT).check(inputs)


@pytest.mark.parametrize("pooling", ["mean", "sum", "max"])
def test_pooling_by_hand(pooling: str) -> None:
    lists = [[2, 3, 19], [7], [], [4, 4, 5, 6]]
    ids = torch.full((4, 4), -1)
    for row, items in enumerate(lists):
        ids[row, : len(items)] = torch.tensor(items, dtype=torch.long)
    output, vectors = pooled(pooling, ids)
    for row, items in enumerate(lists):
        expected = getattr(vectors[items], pooling)(axis=0) if items else np.zeros(3)
        np.testing.assert_allclose(output[row].numpy(), expected, atol=1e-7)
    assert not output[2].any()


@pytest.mark.parametrize("pooling", ["mean", "sum", "max"])
@pytest.mark.parametrize("dim", [1, 3, 16])
def test_extra_padding_changes_nothing(pooling: str, dim: int) -> None:
    ids = torch.tensor([[2, 3], [7, -1], [-1, -1]])
    output, _ = pooled(pooling, ids, dim)
    for extra in (1, 2, 5, 40):
        wider, _ = pooled(pooling, torch.cat([ids, torch.full((3, extra), -1)], dim=1), dim)
        assert torch.equal(wider, output)


@pytest.mark.parametrize(("pooling", "tolerance"), [("mean", 1e-7), ("sum", 1e-6), ("max", 0.0)])
@pytest.mark.parametrize("dim", [1, 3, 16])
def test_extra_padding_of_long_lists(pooling: str, tolerance: float, dim: int) -> None:
    """The order in which a long sum is taken follows the padded length, so the last bit may differ."""
    ids = torch.randint(0, 20, (5, 43), generator=torch.Generator().manual_seed(0))
    output, _ = pooled(pooling, ids, dim)
    for extra in (1, 5, 100):
        wider, _ = pooled(pooling, torch.cat([ids, torch.full((5, extra), -1)], dim=1), dim)
        torch.testing.assert_close(wider, output, atol=tolerance, rtol=0)


@pytest.mark.parametrize("pooling", ["mean", "sum", "max"])
def test_no_items_at_all_give_zeros(pooling: str) -> None:
    for length in (0, 3):
        output, _ = pooled(pooling, torch.full((4, length), -1))
        assert torch.equal(output, torch.zeros(4, 3))


@pytest.mark.parametrize("pooling", ["mean", "sum", "max"])
def test_padding_and_empty_lists_get_no_gradient(pooling: str) -> None:
    layer = InputLayer(Layout((EmbeddingField("tag", 6, 2),), (), (ListColumn("tags", 0, pooling),)))
    layer(Inputs(NO_IDS, (torch.tensor([[3, 5, -1], [-1, -1, -1]]),), NO_FLOATS)).x.sum().backward()
    touched = layer.tables.weight_of_dim(2).grad.ne(0).any(dim=1)
    assert not touched[[0, 1, 2, 4]].any()
    assert touched.any()


def test_a_shared_field_is_one_table() -> None:
    layout = Layout((EmbeddingField("item", 6, 2),), (("item", 0),), (ListColumn("seen", 0, "mean"),))
    layer = InputLayer(layout)
    output = layer(Inputs(torch.tensor([[4], [2]]), (torch.tensor([[4], [5]]),), NO_FLOATS)).x
    assert torch.equal(output[0, :2], output[0, 2:])
    assert not torch.equal(output[1, :2], output[1, 2:])
    assert layer.tables.weight_of_dim(2).shape == (6, 2)


def test_no_rows() -> None:
    lists = (torch.empty(0, 0, dtype=torch.long),) * 3
    inputs = Inputs(torch.empty(0, 3, dtype=torch.int32), lists, torch.empty(0, 2))
    layer = InputLayer(LAYOUT)
    layer.check(inputs)
    assert layer(inputs).x.shape == (0, 18)


def test_inputs_that_come_from_no_table_are_checked_in_forward() -> None:
    layer = InputLayer(Layout((EmbeddingField("user", 4, 2), EmbeddingField("item", 9, 2)), (("user", 0), ("item", 1))))
    floats = torch.zeros(1, 0)
    with pytest.raises(ShapeError, match=r"feature 'user': id 4 is out of range, its table has rows 0 to 3"):
        layer(Inputs(torch.tensor([[4, 0]]), (), floats))
    assert layer(Inputs(torch.tensor([[3, 8]]), (), floats)).x.shape == (1, 4)
