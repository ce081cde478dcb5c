"""Predictions that do not fit the labels of some rows, and rows that are remembered."""

from __future__ import annotations

import logging

import numpy as np
import pyarrow as pa
import pytest
import torch

import gatewise as gw
from gatewise.analysis import curves, cut_table, misfits, over_time, overfitting, slices, worst_slices
from gatewise.assembly import build_tasks
from gatewise.history import EpochRecord
from gatewise.tasks import Predicted

ROWS = 2000
RNG = np.random.default_rng(0)
CHANCE = RNG.uniform(0.02, 0.4, ROWS)
TASKS = build_tasks(gw.Schema(features=[gw.Numeric("x")], tasks=[gw.Binary("click"), gw.Regression("spend")]))
CLICK = (RNG.uniform(size=ROWS) < CHANCE).astype(float)
SPEND = RNG.gamma(2.0, 10 * CHANCE)


def predicted(click=CHANCE, spend=20 * CHANCE, clicked=CLICK, spent=SPEND) -> Predicted:
    columns = {"click": torch.from_numpy(click), "spend": torch.from_numpy(spend)}
    return Predicted(TASKS, columns, torch.from_numpy(np.stack([clicked, spent], axis=1)))


def kinds(found: list) -> list[tuple[str, str]]:
    return [(problem.kind, problem.who[0]) for problem in found]


def test_good_predictions_have_no_problem():
    assert misfits(predicted(), {"click": {"auc": 0.71}, "spend": {"r2": 0.2}}) == []


def test_totals_are_wrong_if_by_more_than_chance():
    (twice,) = misfits(predicted(spend=40 * CHANCE), {})
    assert twice.found == "the predictions of 'spend' add up to 1.96 times what the labels add up to"
    assert kinds(misfits(predicted(click=CHANCE / 10), {})) == [("wrong total", "click")]
    # thirty rows with eight ones: half as many predicted is within chance
    few = Predicted(
        TASKS,
        {name: each[:30] for name, each in predicted(click=CHANCE * 0.7).columns.items()},
        predicted().labels[:30],
    )
    assert misfits(few, {}) == []
    # totals of values on both sides of 0 say nothing
    assert misfits(predicted(spend=20 * CHANCE - 4.1, spent=SPEND - SPEND.mean()), {}) == []


@pytest.mark.parametrize(
    ("clicked", "why"),
    [(np.zeros(ROWS), "as all 2,000 labels are 0"), (np.full(ROWS, np.nan), "as no row has its label")],
)
def test_a_metric_that_is_undefined_says_why(clicked, why):
    (problem,) = misfits(predicted(clicked=clicked), {})
    assert problem.found == f"prediction 'click' cannot be judged on these rows: its auc is undefined, {why}"


def test_rows_that_are_far_from_validation():
    valid = {"click": {"auc": 0.95}, "spend": {"r2": 0.2}}
    (problem,) = misfits(predicted(), valid)
    assert kinds([problem]) == [("far from validation", "click")]
    assert "against 0.950" in problem.found
    # chance explains it
    some = {name: each[:60] for name, each in predicted().columns.items()}
    assert misfits(Predicted(TASKS, some, predicted().labels[:60]), {"click": {"auc": 0.8}}) == []


def history(*epochs: tuple[float, float]) -> list[EpochRecord]:
    """Return epochs of a training loss and a score."""
    best, found = -1.0, []
    for epoch, (loss, score) in enumerate(epochs, 1):
        found.append(EpochRecord(epoch, 1e-3, 1.0, 1.0, {"click": {"loss": loss}}, score=score, best=score > best))
        best = max(best, score)
    return found


@pytest.mark.parametrize(
    ("epochs", "said"),
    [
        ([(0.6, 0.7), (0.5, 0.75), (0.3, 0.69)], "after epoch 2 of 3 the training loss fell from 0.5 to 0.3"),
        ([(0.6, 0.70), (0.5, 0.69), (0.4, 0.69), (0.3, 0.69)], "after epoch 1 of 4"),
        ([(0.6, 0.7), (0.5, 0.75), (0.4, 0.74)], ""),
        # nothing is remembered where the training loss rises, too: the rate is too high
        ([(0.6, 0.7), (0.5, 0.75), (0.9, 0.6)], ""),
        ([(0.6, 0.7), (0.5, 0.75)], ""),
        ([], ""),
    ],
)
def test_overfitting(epochs, said):
    found = overfitting(history(*epochs))
    assert [problem.kind for problem in found] == (["overfitting"] if said else [])
    assert all(problem.found.startswith(said) for problem in found)


def test_fit_and_problems_say_it(caplog):
    x = RNG.normal(size=400)
    rows = {"x": x, "click": (x + RNG.normal(size=400) > 0).astype(int), "spend": np.exp(x)}
    schema = gw.Schema(features=[gw.Numeric("x")], tasks=[gw.Binary("click"), gw.Regression("spend")])
    how = {"epochs": 30, "batch_size": 50, "lr": 0.01}
    poor = rows | {"spend": rows["spend"] / 100}
    with caplog.at_level(logging.WARNING, "gatewise.problems"):
        ranker = gw.Ranker(schema, gw.SharedBottom(bottom_dims=[8], tower_dims=[]), **how).fit(rows, poor)
    assert any("the predictions of 'spend' add up to" in record.getMessage() for record in caplog.records)
    assert "wrong total" in {problem.kind for problem in ranker.problems(poor)}
    assert "wrong total" not in {problem.kind for problem in ranker.problems(rows)}
    # without labels nothing can be said of them
    assert "wrong total" not in {problem.kind for problem in ranker.problems({"x": x})}


def test_totals_count_dropped_negatives():
    schema = gw.Schema(features=[gw.Categorical("user")], tasks=[gw.Binary("click", negatives_kept=0.1)])
    labels = (torch.arange(2000) % 2 == 0).double()
    right = {"click": torch.full((2000,), 1 / 11).double()}
    found = Predicted(build_tasks(schema), right, labels[:, None])
    assert misfits(found, {}) == []
    assert curves(found)["click"].rate == pytest.approx(1 / 11)
    (period,) = over_time(found, pa.table({"day": [1] * 2000}), "day").periods["click"]
    assert period.label == pytest.approx(1 / 11)
    wrong = Predicted(found.tasks, {"click": torch.full((2000,), 0.5).double()}, labels[:, None])
    assert [each.kind for each in misfits(wrong, {})] == ["wrong total"]
    cuts = cut_table(pa.table({"half": [0] * 1000 + [1] * 1000}), ["half"])
    for worst in worst_slices(found, cuts, slices(found, cuts))["click"]:
        assert worst.metrics["pcoc"].value == pytest.approx(1)
        assert worst.metrics["log_loss"].low < found.evaluate()["click"]["log_loss"] < worst.metrics["log_loss"].high
