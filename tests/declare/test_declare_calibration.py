"""Calibration as a recipe declares it."""

from __future__ import annotations

import pytest

from gatewise.declare import Calibration, Recipe, from_dict, to_dict
from gatewise.errors import DeclarationError

RECIPE = {
    "data": {"train": "train.parquet", "valid": "valid.parquet"},
    "features": [{"kind": "categorical", "name": "user"}],
    "tasks": [
        {"kind": "binary", "name": "click"},
        {"kind": "binary", "name": "buy", "after": "click"},
        {"kind": "regression", "name": "stars"},
    ],
}


def declared(calibration: object) -> Recipe:
    return from_dict(Recipe, RECIPE | {"calibration": calibration})


def test_a_recipe_calibrates_nothing_unless_told():
    assert from_dict(Recipe, RECIPE).calibration is None


def test_the_method_alone_and_all_options():
    assert declared("platt").calibration == Calibration("platt")
    assert declared({"method": "auto"}).calibration == declared({}).calibration == Calibration()
    some = declared({"method": "down_sampling", "rate": 0.1, "tasks": ["click"]})
    assert some.calibration == Calibration("down_sampling", rate=0.1, tasks=["click"])
    assert from_dict(Recipe, to_dict(some)) == some


def test_all_binary_tasks_by_default():
    recipe = declared("platt")
    assert recipe.calibration.names(recipe.schema()) == ("click", "buy")


@pytest.mark.parametrize(
    ("calibration", "message"),
    [
        ("isotonc", r"Recipe\.calibration\.method: expected .* did you mean 'isotonic'\?"),
        ({"methd": "platt"}, r"Recipe\.calibration\.methd: unknown option; did you mean 'method'\?"),
        ({"method": "down_sampling", "rate": 0}, r"Recipe\.calibration\.rate: .* found 0"),
        ({"method": "down_sampling"}, "down_sampling needs rate"),
        ({"rate": 0.1}, "rate belongs to down_sampling"),
        ({"method": "down_sampling", "rate": 0.1}, "is by one label, found click, buy: name its task in 'tasks'"),
        ({"tasks": ["stars"]}, r"'stars' is no binary task \(binary tasks: click, buy\)"),
        ({"tasks": ["bye"]}, "'bye' is no binary task; did you mean 'buy'"),
        ({"tasks": ["click", "click"]}, "'click' is named twice"),
    ],
)
def test_mistakes_are_told_by_their_path(calibration, message):
    with pytest.raises(DeclarationError, match=message):
        declared(calibration)


def test_there_must_be_something_to_calibrate():
    with pytest.raises(DeclarationError, match="expected binary tasks, found none"):
        from_dict(Recipe, RECIPE | {"tasks": RECIPE["tasks"][2:], "calibration": "platt"})
