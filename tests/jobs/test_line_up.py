"""Which models compete, as declared: nothing is trained."""

from __future__ import annotations

from dataclasses import replace

import pytest

import gatewise as gw
from gatewise.data import TableEncoder
from gatewise.jobs.contestants import Part
from gatewise.jobs.line_up import line_up

SCHEMA = gw.Schema(
    features=[gw.Categorical("user", dim=8), gw.Numeric("price")],
    tasks=[gw.Binary("click"), gw.Regression("stars"), gw.Binary("buy", after="click")],
)
TABLE = {
    "user": [1, 2, 3, 4],
    "price": [1.0, 2.0, 3.0, 4.0],
    "click": [0, 1, 0, 1],
    "stars": [1.0, 2.0, 3.0, 5.0],
    "buy": [0, 1, 0, 0],
}
TRAINING = {"epochs": 3, "batch_size": 64, "lr": 0.01, "patience": 1, "seed": 4}


def parts_of(monitor: str = "mean", also: tuple[object, ...] = ()) -> dict[str, tuple[Part, ...]]:
    model = gw.MMoE(experts=4, expert_dims=[32, 16], tower_dims=[8], dropout=0.1)
    options = gw.Ranker(SCHEMA, model, balance="uncertainty", monitor=monitor, **TRAINING).options
    encoder, _ = TableEncoder.fit(SCHEMA, TABLE)
    return {contestant.name: contestant.parts for contestant in line_up(SCHEMA, options, encoder, also)}


def test_models_of_several_tasks_have_the_options_of_the_model():
    found = parts_of(also=("ple",))
    assert list(found) == ["MMoE", "shared bottom", "PLE", "single task"]
    (own,) = found["MMoE"]
    assert own.options.balance == gw.Uncertainty()
    for name in ("shared bottom", "PLE"):
        (part,) = found[name]
        assert (part.schema, part.judged) == (SCHEMA, ("click", "stars", "buy"))
        assert (part.options.training, part.options.balance) == (own.options.training, own.options.balance)
        assert (part.options.model.tower_dims, part.options.model.dropout) == ((8,), 0.1)


def test_a_single_task_model_learns_its_task_alone_and_stops_by_it():
    (shared,) = parts_of()["MMoE"]
    alone = parts_of()["single task"]
    assert [part.judged for part in alone] == [("click",), ("stars",), ("buy",)]
    # a step of a funnel needs those before it
    assert [[task.name for task in part.schema.tasks] for part in alone] == [["click"], ["stars"], ["click", "buy"]]
    monitors = ["click.auc", "stars.r2", "click_and_buy.auc"]
    assert [part.options.training.monitor for part in alone] == monitors
    for part in alone:
        assert isinstance(part.options.balance, gw.declare.Static)
        assert replace(part.options.training, monitor="mean") == shared.options.training


@pytest.mark.parametrize("place", range(3))
def test_what_is_monitored_of_a_task_stops_its_single_task_model(place: int):
    monitor = ("click.log_loss", "stars.rmse", "buy_given_click.auc")[place]
    found = [part.options.training.monitor for part in parts_of(monitor)["single task"]]
    others = ["click.auc", "stars.r2", "click_and_buy.auc"]
    assert found == [monitor if i == place else others[i] for i in range(3)]
