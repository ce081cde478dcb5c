from __future__ import annotations

import torch

from gatewise.layout import EmbeddingField, Layout, ListColumn, TextColumn
from gatewise.nn import Ragged, TensorTable, TextBatch, Texts, gathered

LAYOUT = Layout(
    (EmbeddingField("user", 8, 3), EmbeddingField("item", 8, 3), EmbeddingField("tag", 7, 2)),
    (("user", 0), ("item", 1)),
    (ListColumn("tags", 2, "mean"),),
    ("age", "age is null", "price"),
    ("age", "age", "price"),
    (TextColumn("title", "", "", 2, 9, 0, "mean", True, 1.0),),
)
TABLE = TensorTable(
    torch.tensor([[0, 1], [2, 3], [4, 5]]),
    (Ragged(torch.tensor([1, 2, 3]), torch.tensor([0, 1, 1, 3])),),
    torch.tensor([[0.0, 0.1, 0.2], [1.0, 1.1, 1.2], [2.0, 2.1, 2.2]]),
    torch.zeros(3, 1),
    texts=(Texts(Ragged(torch.tensor([5, 6, 6]), torch.tensor([0, 1, 3])), torch.tensor([0, 1, 0])),),
)


def test_every_feature_is_read_from_its_own_rows() -> None:
    index, other = torch.tensor([0, 1]), torch.tensor([2, 0])
    found = gathered(TABLE, LAYOUT, index, {"item": other, "age": other, "tags": other, "title": torch.tensor([1, 1])})
    assert found.ids.tolist() == [[0, 5], [2, 1]]
    # all columns of a feature come from one row
    torch.testing.assert_close(found.floats, torch.tensor([[2.0, 2.1, 0.2], [0.0, 0.1, 1.2]]))
    assert found.lists[0].tolist() == [[2, 3], [1, -1]]
    (texts,) = found.texts
    assert isinstance(texts, TextBatch)
    assert texts.tokens[texts.codes].tolist() == [[6, 6], [6, 6]]


def test_without_others_it_is_the_table() -> None:
    index = torch.tensor([2, 0])
    found, plain = gathered(TABLE, LAYOUT, index, {}), TABLE.inputs(index)
    assert torch.equal(found.ids, plain.ids)
    assert torch.equal(found.floats, plain.floats)
    assert torch.equal(found.lists[0], plain.lists[0])
    assert torch.equal(found.texts[0].codes, plain.texts[0].codes)
