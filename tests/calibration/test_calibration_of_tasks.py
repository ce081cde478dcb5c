"""The calibration of all tasks of a model: whose probability, on which rows, and what follows from it."""

from __future__ import annotations

import json
from functools import partial

import pytest
import torch

from gatewise.calibration import Calibration, Isotonic, Platt, make_calibrator
from gatewise.errors import ArtefactError, TableError
from gatewise.tasks import BinaryTask, FunnelTask, Predicted, RegressionTask, predict_tasks

F64 = torch.float64
CLICK = BinaryTask("click")
CART = FunnelTask("cart", after=[CLICK])
PURCHASE = FunnelTask("purchase", after=[CLICK, CART])
TASKS = [CLICK, CART, PURCHASE, RegressionTask("stars", mean=3.0)]
NAMES = [task.name for task in TASKS]


def predicted(rows: int = 4000, seed: int = 0) -> Predicted:
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(rows, 4, generator=generator)
    # the true log odds are half of what the model says
    taken = (torch.rand(rows, 3, generator=generator) < (scores[:, :3] / 2).sigmoid()).double()
    labels = torch.cat([taken.cumprod(dim=1), torch.randn(rows, 1, generator=generator).double()], dim=1)
    labels[::10, 0] = torch.nan
    return Predicted(TASKS, predict_tasks(TASKS, scores, labels), labels)


def test_each_output_learns_on_its_own_sample():
    rows = predicted()
    found = Calibration().fitted(rows, Platt, NAMES)
    assert list(found.calibrators) == ["click", "cart_given_click", "purchase_given_cart"]
    click, cart, purchase = rows.labels[:, :3].T
    columns = rows.columns
    clicked, carted = click == 1, (click == 1) & (cart == 1)
    by_hand = {
        "click": Platt().fit(columns["click"], click),
        "cart_given_click": Platt().fit(columns["cart_given_click"][clicked], cart[clicked]),
        "purchase_given_cart": Platt().fit(columns["purchase_given_cart"][carted], purchase[carted]),
    }
    assert {name: made.state() for name, made in found.calibrators.items()} == {
        name: pytest.approx(made.state()) for name, made in by_hand.items()
    }
    assert found.calibrators["cart_given_click"].slope == pytest.approx(0.5, abs=0.1)


def test_what_all_steps_say_is_exactly_the_product_of_the_calibrated_parts():
    rows = predicted()
    columns = Calibration().fitted(rows, Isotonic, NAMES).apply(TASKS, rows.columns)
    assert list(columns) == list(rows.columns)
    assert torch.equal(columns["click_and_cart"], columns["click"] * columns["cart_given_click"])
    assert torch.equal(
        columns["click_and_cart_and_purchase"], columns["click_and_cart"] * columns["purchase_given_cart"]
    )
    assert not torch.equal(columns["click_and_cart"], rows.columns["click_and_cart"])


def test_what_is_not_calibrated_stays_as_it_is():
    rows = predicted()
    columns = Calibration().fitted(rows, Platt, ["cart"]).apply(TASKS, rows.columns)
    changed = {name for name in columns if not torch.equal(columns[name], rows.columns[name])}
    assert changed == {"cart_given_click", "click_and_cart", "click_and_cart_and_purchase"}
    unchanged = Calibration().apply(TASKS, rows.columns)
    assert all(torch.equal(unchanged[name], column) for name, column in rows.columns.items())


def test_a_later_fit_of_one_task_keeps_the_others():
    rows = predicted()
    first = Calibration().fitted(rows, Platt, NAMES)
    both = first.given(TASKS, partial(make_calibrator, "down_sampling", rate=0.5), ["click"])
    assert both.state()["click"] == {"method": "down_sampling", "rate": 0.5}
    assert both.state()["cart_given_click"] == first.state()["cart_given_click"]
    again = both.fitted(rows, Isotonic, ["cart"])
    assert [state["method"] for state in again.state().values()] == ["down_sampling", "isotonic", "platt"]


def test_it_comes_back_from_json():
    rows = predicted()
    found = Calibration().fitted(rows, Isotonic, NAMES)
    again = Calibration.from_state(TASKS, json.loads(json.dumps(found.state())))
    for name, column in found.apply(TASKS, rows.columns).items():
        assert torch.equal(again.apply(TASKS, rows.columns)[name], column)


def test_an_output_of_one_class_is_named():
    rows = predicted()
    rows.labels[rows.labels[:, 0] == 1, 1] = 0
    with pytest.raises(TableError, match="calibration of 'cart_given_click': platt: expected labels of both classes"):
        Calibration().fitted(rows, Platt, NAMES)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ([], "expected a mapping of outputs, found list"),
        ({"clik": {"method": "platt"}}, "'clik' is no probability; did you mean 'click'"),
        ({"stars": {"method": "platt"}}, "'stars' is no probability"),
        ({"click_and_cart": {"method": "platt"}}, "'click_and_cart' is no probability"),
        ({"click": {"method": "plat"}}, "calibration of 'click': is no saved calibrator"),
        ({"click": {"slope": 1.0}}, "calibration of 'click': is no saved calibrator"),
        ({"click": {"method": "platt", "slop": 1.0}}, "calibration of 'click': is no saved calibrator"),
        ({"click": {"method": "platt", "slope": "1"}}, "calibration of 'click': is no saved calibrator"),
        ({"click": {"method": "down_sampling", "rate": 2}}, "calibration of 'click': is no saved calibrator"),
        ({"click": {"method": "isotonic", "inputs": [1], "outputs": "x"}}, "calibration of 'click': is no saved"),
        ({"click": 3}, "calibration of 'click': is no saved calibrator"),
    ],
)
def test_a_state_that_is_none_is_one_line(state, message):
    with pytest.raises(ArtefactError, match=message) as caught:
        Calibration.from_state(TASKS, state)
    assert "\n" not in str(caught.value)
