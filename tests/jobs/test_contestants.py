"""What one training of a comparison gives: predictions, costs and affinities of the rows that it is told."""

from __future__ import annotations

import time
from dataclasses import replace
from statistics import fmean

import numpy as np
import pyarrow as pa
import pytest
import torch

import gatewise as gw
from gatewise.analysis import Epochs
from gatewise.jobs import Tables
from gatewise.jobs.contestants import Models, Part
from gatewise.training import task_affinity

SCHEMA = gw.Schema(features=[gw.Numeric("x"), gw.Numeric("z")], tasks=[gw.Regression("up"), gw.Regression("down")])
MODEL = gw.SharedBottom(bottom_dims=[4], tower_dims=[])


def rows_of(rows: int, seed: int, sign: int = 1) -> pa.Table:
    x, z = np.random.default_rng(seed).normal(size=(2, rows))
    return pa.table({"x": x, "z": z, "up": sign * x, "down": sign * np.maximum(z - x, 0)})


# what is learnt is wrong on the validation rows, so the first epoch is the best there, and right on the test rows
TABLES = Tables(rows_of(200, 1), rows_of(200, 2, sign=-1), rows_of(50, 3))


def options(seed: int = 0) -> gw.declare.Options:
    return gw.Ranker(SCHEMA, MODEL, epochs=4, batch_size=50, lr=0.05, patience=None, seed=seed).options


@pytest.fixture
def trained(monkeypatch) -> list[gw.Ranker]:
    """Return a list of the rankers that parts are trained to from now on."""
    made, fitted = [], Part.fitted

    def noted(self, seed, tables):
        made.append(fitted(self, seed, tables))
        return made[-1]

    monkeypatch.setattr(Part, "fitted", noted)
    return made


@pytest.mark.parametrize("seed", [0, 7])
def test_a_model_learns_the_training_rows_with_its_seed_and_stops_by_the_validation_rows(seed: int):
    learnt = Models("MMoE", (Part(SCHEMA, options(), ("up", "down")),)).learn(seed, TABLES)
    ranker = gw.Ranker.from_options(SCHEMA, options(seed)).fit(TABLES.train, TABLES.valid)
    expected = ranker.predict(TABLES.test)
    assert set(learnt.columns) == {"up", "down"}
    for name, column in learnt.columns.items():
        assert np.array_equal(column, expected[name].to_numpy())
    scores = [record.valid["up"]["r2"] for record in ranker.history]
    assert scores.index(max(scores)) == 0
    assert learnt.cost.epochs == [Epochs(["up", "down"], [1], [4], [False])]


def test_affinities_are_those_on_the_training_rows():
    learnt = Models("MMoE", (Part(SCHEMA, options(), ("up", "down")),)).learn(
        0, Tables(TABLES.train, None, TABLES.test)
    )
    scorer = gw.Ranker.from_options(SCHEMA, options()).fit(TABLES.train).scorer
    rows = scorer.tensors(scorer.encode(TABLES.train))
    expected = task_affinity(scorer.model, scorer.tasks, rows, batch_size=50)
    assert abs(expected[0, 1] - expected[1, 0]) > 1e-4
    # without validation rows no epoch is the best one
    assert learnt.cost.epochs == []
    torch.testing.assert_close(torch.tensor(learnt.affinity, dtype=torch.float64), expected)


def test_models_of_one_task_each_cost_what_all_of_them_cost(trained, monkeypatch):
    parts = tuple(
        Part(SCHEMA.only(name), replace(options(), model=gw.SingleTask(bottom_dims=[width])), (name,))
        for name, width in (("up", 3), ("down", 9))
    )
    predict = gw.Ranker.predict

    def slowly(self, *arguments, **named):
        time.sleep(0.02)
        return predict(self, *arguments, **named)

    monkeypatch.setattr(gw.Ranker, "predict", slowly)
    learnt = Models("single task", parts).learn(0, TABLES)
    assert set(learnt.columns) == {"up", "down"}
    assert learnt.affinity is None
    assert learnt.cost.parameters == [ranker.scorer.model.num_parameters(embeddings=False) for ranker in trained]
    assert learnt.cost.parameters[0] < learnt.cost.parameters[1]
    assert learnt.cost.latency > 0.04
    assert [(each.tasks, each.trained) for each in learnt.cost.epochs] == [(["up"], [4]), (["down"], [4])]
    # a row is done with when both models have seen it
    seconds = sum(1 / fmean(record.rows_per_second for record in ranker.history) for ranker in trained)
    assert learnt.cost.rows_per_second == pytest.approx(1 / seconds)


def test_a_model_is_judged_on_its_own_tasks_alone():
    part = Part(SCHEMA, options(), ("down",))
    assert set(Models("single task", (part,)).learn(0, TABLES).columns) == {"down"}
