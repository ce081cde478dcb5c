"""Which kind of task the values of a label ask for."""

from __future__ import annotations

import numpy as np
import pytest

from gatewise.look import profile
from gatewise.look.words import names_a_label, names_an_id, time_score

RNG = np.random.default_rng(0)
ROWS = 1000
ZEROS = RNG.random(ROWS) < 0.6


@pytest.mark.parametrize(
    ("name", "values", "kind"),
    [
        ("click", RNG.integers(0, 2, ROWS), "binary"),
        ("flag", RNG.integers(0, 2, ROWS).astype(bool), "binary"),
        ("stars", RNG.integers(1, 6, ROWS), "ordinal"),
        ("visits", RNG.poisson(1.0, ROWS), "count"),
        (
            "weeks",
            np.where(RNG.random(ROWS) < 0.5, 0, np.where(RNG.random(ROWS) < 0.5, 52, RNG.integers(1, 52, ROWS))),
            "regression",
        ),
        ("wage", RNG.normal(20, 5, ROWS), "regression"),
        ("balance", RNG.integers(-50, 50, ROWS), "regression"),
        ("revenue", np.where(ZEROS, 0, RNG.lognormal(2, 1, ROWS)), "lifetime_value"),
        ("views", np.where(ZEROS, 0, RNG.integers(1, 90_000, ROWS)), "lifetime_value"),
        ("watch_time", RNG.lognormal(2, 1, ROWS), "duration"),
        ("device", np.array(["phone", "desktop", "tablet"])[RNG.integers(0, 3, ROWS)], "multiclass"),
        ("answer", np.array(["yes", "no"])[RNG.integers(0, 2, ROWS)], "multiclass"),
    ],
)
def test_kinds_of_tasks(name, values, kind):
    [label] = profile({"x": RNG.normal(size=ROWS), name: values}, [name]).tasks
    assert label.task is not None
    assert label.task.kind == kind


def test_a_label_that_cannot_be_learnt_says_why():
    rare = np.zeros(ROWS)
    rare[:5] = 1
    texts = [f"text {row}" for row in range(ROWS)]
    one, two, three = profile(
        {"x": RNG.normal(size=ROWS), "a": rare, "b": texts, "c": [1] * ROWS}, ["a", "b", "c"]
    ).tasks
    assert (one.task, two.task, three.task) == (None, None, None)
    assert "about 5 rows" in one.reason
    assert "too many for classes" in two.reason
    assert three.reason == "has one value only"


def test_a_time_in_milliseconds_has_their_unit():
    [label] = profile({"x": RNG.normal(size=ROWS), "play_time_ms": RNG.integers(500, 90_000, ROWS)}).tasks
    assert label.task is not None
    assert getattr(label.task, "unit", None) == 1000.0


@pytest.mark.parametrize(
    "name", ["click", "is_click", "isClick", "label", "label_2", "long_view", "order_amount", "Purchased"]
)
def test_names_of_labels(name):
    assert names_a_label(name)


@pytest.mark.parametrize(
    "name", ["click_rate", "user_likes_7d", "order_id", "clicked_item_ids", "hist_click", "price", "x"]
)
def test_names_that_are_none(name):
    assert not names_a_label(name)


def test_names_of_ids_and_times():
    assert [names_an_id(name) for name in ("user_id", "itemId", "city", "num_users", "user_count", "age")] == [
        *(True, True, True),
        *(False, False, False),
    ]
    assert [
        time_score(name) > 0 for name in ("timestamp", "event_time", "ts", "signup_date", "play_time", "price")
    ] == [
        *(True, True, True),
        *(False, False, False),
    ]
