"""Ids of rare values give way to the out-of-vocabulary row in training."""

from __future__ import annotations

import pytest
import torch

import gatewise as gw
from gatewise.layout import EmbeddingField, Layout, ListColumn
from gatewise.nn import IdDropout, Inputs, Ragged, TensorTable

ROWS = 20_000


def layout(**field) -> Layout:
    """Return a layout of an id column and a list that share a table, and of a column of a table of its own."""
    fields = (EmbeddingField("item", 5, 4), EmbeddingField("other", 4, 4, **field))
    return Layout(ids=(("item", 0), ("other", 1)), lists=(ListColumn("seen", 0, "mean"),), floats=(), fields=fields)


def table() -> TensorTable:
    """Return rows in which item 2 stands 60 times, 3 stands 20 times (10 of them in lists), and 4 never."""
    item = torch.tensor([2] * 60 + [3] * 10 + [0, 1])
    seen = Ragged(torch.tensor([3] * 10, dtype=torch.int32), torch.tensor([0] * 63 + list(range(1, 11))).sort().values)
    ids = torch.stack([item, torch.full_like(item, 2)], dim=1).int()
    return TensorTable(ids, (seen,), torch.zeros(len(ids), 0), torch.zeros(len(ids), 1))


def dropped(module: IdDropout, item: int) -> float:
    """Return the share of an item's ids that became out of vocabulary; all others must stay what they are."""
    ids = torch.full((ROWS, 2), item, dtype=torch.int32)
    found = module(Inputs(ids, (torch.tensor([[item, -1]] * ROWS, dtype=torch.int32),), torch.zeros(ROWS, 0)))
    assert set(found.ids[:, 0].tolist()) <= {0, item}
    assert found.lists[0][:, 1].eq(-1).all()
    of_list = found.lists[0][:, 0].eq(0).float().mean()
    share = found.ids[:, 0].eq(0).float().mean()
    assert abs(float(of_list - share)) < 0.02
    return float(share)


def test_a_value_gives_way_as_often_as_its_rows_say():
    torch.manual_seed(0)
    module = IdDropout(layout(), 20.0)
    assert dropped(module, 2) == 0, "nothing was counted yet"
    module.learn([table()])
    assert abs(dropped(module, 2) - 20 / 80) < 0.02
    assert abs(dropped(module, 3) - 20 / 40) < 0.02
    assert dropped(module, 1) == 0, "null stays null"
    module.eval()
    assert dropped(module, 3) == 0


def test_frozen_tables_and_those_without_an_out_of_vocabulary_row_stay_as_they_are():
    for field in ({"frozen": True}, {"reserved": 0}):
        module = IdDropout(layout(**field), 20.0)
        module.learn([table()])
        ids = torch.full((1000, 2), 3, dtype=torch.int32)
        found = module(Inputs(ids, (torch.zeros(1000, 0, dtype=torch.int32),), torch.zeros(1000, 0)))
        assert found.ids[:, 0].eq(0).any()
        assert found.ids[:, 1].eq(3).all()


def test_unseen_values_are_trained_and_a_training_repeats():
    rows = {"user": [f"u{i % 50}" for i in range(200)], "click": [i % 2 for i in range(200)]}
    schema = gw.Schema(features=[gw.Categorical("user", dim=4)], tasks=[gw.Binary("click")])

    def unseen(weight: float) -> torch.Tensor:
        model = gw.MMoE(experts=2, expert_dims=[4], id_dropout=weight)
        ranker = gw.Ranker(schema, model, epochs=3, batch_size=50, lr=0.01).fit(rows)
        return ranker.scorer.model.input_layer.tables.rows_of(0)[0].clone()

    assert not unseen(0.0).any()
    assert unseen(20.0).any()
    assert unseen(20.0).equal(unseen(20.0))


def test_an_update_counts_what_earlier_rows_had(tmp_path):
    schema = gw.Schema(features=[gw.Categorical("user", dim=4)], tasks=[gw.Binary("click")])

    def rows(*users: str) -> dict[str, list]:
        return {"user": [*users], "click": [i % 2 for i in range(len(users))]}

    model = gw.MMoE(experts=2, expert_dims=[4], id_dropout=20)
    ranker = gw.Ranker(schema, model, epochs=1, batch_size=50, lr=0.01).fit(rows(*["ann"] * 300, *["bob"] * 10))
    ranker.save(tmp_path / "model")
    for known in (ranker, gw.load(tmp_path / "model")):
        for _ in range(2):
            known.update(rows(*["ann"] * 10, *["eve"] * 5))
        known.save(tmp_path / "later")
        known = gw.load(tmp_path / "later").update(rows("ann", "eve"))
        names = known.scorer.encoder.vocabularies["user"].values.to_pylist()
        module = known.scorer.model.input_layer.id_dropout
        counts = dict(zip(names, module.counts["user"].tolist()[2:], strict=True))
        assert counts == {"ann": 321, "bob": 10, "eve": 11}
        assert float(module._shares[0][2 + names.index("bob")]) == pytest.approx(20 / 30)
