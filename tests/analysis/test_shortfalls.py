"""Problems that the training rows and the validation metrics tell of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import gatewise as gw
from gatewise.analysis.large_tables import large_vocabularies, table_bytes
from gatewise.analysis.shortfalls import below_a_constant, rare_values
from gatewise.assembly import build_tasks
from gatewise.layout import EmbeddingField
from gatewise.training.optimizers.make import RULES, RowwiseAdagrad

TASKS = build_tasks(gw.Schema(features=[gw.Numeric("x")], tasks=[gw.Binary("click"), gw.Regression("stars")]))


@pytest.mark.parametrize(
    ("click", "stars", "said"),
    [
        ({"auc": 0.7, "normalised_entropy": 0.9}, {"r2": 0.1}, []),
        ({"auc": 0.7, "normalised_entropy": 1.00004}, {"r2": 0.1}, []),
        (
            {"auc": 0.5},
            {"r2": 0.1},
            ["prediction 'click' is no better than a constant on the validation rows: auc"],
        ),
        (
            {"auc": 0.7},
            {"r2": -0.02},
            ["prediction 'stars' is no better than a constant on the validation rows: r2"],
        ),
        # in a good order, but with probabilities that are worse than one number for all rows
        (
            {"auc": 0.7, "normalised_entropy": 1.2},
            {"r2": 0.1},
            ["the probabilities of 'click' are worse than the rate"],
        ),
        ({"auc": None}, {}, []),
    ],
)
def test_what_a_constant_predicts_as_well(click, stars, said):
    found = below_a_constant(TASKS, {"click": click, "stars": stars})
    assert [problem.kind for problem in found] == ["below a constant"] * len(said)
    for problem, start in zip(found, said, strict=True):
        assert problem.found.startswith(start)
        assert problem.who[0] in problem.found


def test_values_with_few_rows_each():
    (found,) = rare_values({"user": (1200, 2.46), "country": (30, 400.0)})
    assert (found.kind, found.who) == ("rare values", ("user",))
    assert "feature 'user' has 1,200 values with 2.5 training rows each on average" in found.found
    assert "min_count=10" in found.remedy


ROWS = 600
RNG = np.random.default_rng(0)
TABLE = {
    "order": np.arange(ROWS) // 2,
    "shop": np.arange(ROWS) % 20,
    "x": RNG.normal(size=ROWS),
    "noise": RNG.integers(0, 2, ROWS),
}
FEATURES = [gw.Categorical("order", dim=4), gw.Categorical("shop", dim=4), gw.Numeric("x")]


def fitted(*features: gw.declare.Feature) -> gw.Ranker:
    schema = gw.Schema(features=list(features), tasks=[gw.Binary("noise")])
    model = gw.SharedBottom(bottom_dims=[8], tower_dims=[])
    cut = 400
    train, valid = ({k: v[rows] for k, v in TABLE.items()} for rows in (slice(cut), slice(cut, None)))
    return gw.Ranker(schema, model, epochs=3, batch_size=32, lr=0.05).fit(train, valid)


def test_a_ranker_names_the_column_whose_values_are_rare_also_when_loaded(tmp_path: Path):
    ranker = fitted(*FEATURES)
    assert [p.who for p in ranker.training_problems() if p.kind == "rare values"] == [("order",)]
    ranker.save(tmp_path / "model")
    loaded = gw.load(tmp_path / "model")
    assert loaded.training_problems() == ranker.training_problems()
    # what is learnt later does not change what the table's rows were trained on
    loaded.extend_vocabulary({k: v[400:] for k, v in TABLE.items()})
    assert loaded.scorer.encoder.vocabularies["order"].usual_count == 2.0


def test_min_count_and_hashing_leave_nothing_rare():
    ranker = fitted(gw.Categorical("order", dim=4, hash_buckets=16), gw.Categorical("shop", dim=4, min_count=10))
    assert not [problem for problem in ranker.training_problems() if problem.kind == "rare values"]


def test_a_vocabulary_of_millions_is_named_with_what_to_write():
    tables = [EmbeddingField("user", 12_345_680, 16), EmbeddingField("shop", 5_000_001, 16)]
    (found,) = large_vocabularies(tables, gw.Training(optimizer="adam"))
    assert (found.kind, found.who) == ("large vocabulary", ("user",))
    # 12,345,680 rows of 16 numbers of 4 bytes, and two numbers of state for each
    assert found.found == (
        "feature 'user' has 12,345,678 values: its embedding table takes 2.4 GB with the optimiser's state"
    )
    assert found.remedy.startswith("hash_buckets=2_000_000 on it (384 MB; about 6 values share a row")
    (found,) = large_vocabularies(tables[:1], gw.Training(embedding_update="rowwise_adagrad"))
    assert "takes 840 MB with" in found.found


def test_tables_of_learnt_values_are_looked_at_and_no_others(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gatewise.analysis.large_tables.LARGE", 20)
    ranker = fitted(*FEATURES, gw.Categorical("noisy", column="order", dim=4, hash_buckets=100))
    found = [problem for problem in ranker.training_problems() if problem.kind == "large vocabulary"]
    assert [problem.who for problem in found] == [("order",), ("shop",)]
    assert "hash_buckets=40 on it" in found[0].remedy
    ranker = fitted(gw.Categorical("shop", size=20, dim=4), gw.Numeric("x"))
    assert not [problem for problem in ranker.training_problems() if problem.kind == "large vocabulary"]


def test_the_state_of_an_optimiser_is_what_it_keeps():
    table = torch.zeros(7, 4)
    for name, rule in RULES.items():
        kept = sum(state.numel() for state in rule(0.0, 0.9).state(table).values())
        assert table_bytes(7, 4, gw.Training(optimizer=name)) == 4 * (table.numel() + kept), name
    kept = sum(state.numel() for state in RowwiseAdagrad(0.0).state(table).values())
    assert table_bytes(7, 4, gw.Training(embedding_update="rowwise_adagrad")) == 4 * (table.numel() + kept)


def test_a_label_without_sense_is_below_a_constant():
    ranker = fitted(*FEATURES)
    kept = max((record for record in ranker.history if record.best), key=lambda record: record.epoch)
    kept.valid["noise"]["auc"] = 0.49
    assert ("noise",) in [problem.who for problem in ranker.training_problems() if problem.kind == "below a constant"]
