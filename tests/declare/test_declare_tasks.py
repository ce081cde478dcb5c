from __future__ import annotations

import pytest

from gatewise.declare import (
    Binary,
    Categorical,
    Count,
    Custom,
    Duration,
    LifetimeValue,
    Multiclass,
    Numeric,
    Ordinal,
    Regression,
    Schema,
)
from gatewise.errors import DeclarationError

USER = Categorical("user")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Regression("y", delta=2.0), "Regression: delta belongs to loss 'huber', and the loss is 'mse'"),
        (lambda: Regression("y", loss="huber", quantile=0.9), "quantile belongs to loss 'quantile', and the loss is"),
        (lambda: Regression("y", loss="hubr"), r"Regression\.loss: expected .*found 'hubr'; did you mean 'huber'"),
        (lambda: Regression("y", loss="quantile", quantile=1.0), r"Regression\.quantile: .*less than 1, found 1"),
        (lambda: Count("y", power=1.2), "Count: power belongs to loss 'tweedie', and the loss is 'poisson'"),
        (lambda: Count("y", loss="tweedie", power=2.0), r"Count\.power: .*less than 2, found 2"),
        (lambda: Multiclass("y", classes=["a"]), r"Multiclass\.classes: expected two classes or more, found 1"),
        (lambda: Multiclass("y", classes=["a", "b", "a"]), r"Multiclass\.classes: class 'a' is named twice"),
        (lambda: Multiclass("y", classes=["a", 1]), "expected all integers or all strings, found both"),
        (lambda: Ordinal("y", levels=[0, 1]), "expected three levels or more, found 2; a label of two is Binary"),
        (lambda: Ordinal("y", levels=[1, 3, 2]), r"Ordinal\.levels: expected rising levels, found 2 after 3"),
        (lambda: Duration("y", unit=0), r"Duration\.unit: .*greater than 0, found 0"),
        (lambda: Custom("y"), r"Custom\.by: is required"),
        (lambda: Custom("y", by="k", options={"mean": 1}), "'mean' is given by the declaration or learnt"),
        (lambda: Custom("y", by="k", options={"loss": object()}), r"Custom\.options"),
    ],
)
def test_options_that_make_no_sense_are_named(make, message):
    with pytest.raises(DeclarationError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def test_booleans_are_the_classes_0_and_1():
    assert Multiclass("y", classes=[False, True]).classes == (0, 1)
    assert Multiclass("y", classes=["1", "2"]).classes == ("1", "2")


def test_options_of_a_kind_of_ones_own_do_not_change():
    given = {"sizes": [1, 2], "name_of": {"x": None}}
    declared = Custom("y", by="mine", options=given)
    given["sizes"].append(3)
    assert declared.options == {"sizes": [1, 2], "name_of": {"x": None}}
    assert declared == Custom("y", by="mine", options={"name_of": {"x": None}, "sizes": [1, 2]})


def test_a_limit_may_be_a_feature_and_no_label():
    task = Duration("watched", limit="length")
    assert Schema(features=[USER, Numeric("length")], tasks=[task]).tasks == (task,)
    message = "task 'watched' needs 'click' beforehand, which is the label of task 'click'"
    with pytest.raises(DeclarationError, match=message):
        Schema(features=[USER], tasks=[Duration("watched", limit="click"), Binary("click")])
    with pytest.raises(DeclarationError, match="needs 'watched' beforehand, which is the label of task 'watched'"):
        Schema(features=[USER], tasks=[Duration("watched", limit="watched")])
    with pytest.raises(DeclarationError, match="feature 'watched' reads 'watched', which is the label"):
        Schema(features=[USER, Numeric("watched")], tasks=[task])


@pytest.mark.parametrize(
    "task",
    [
        Multiclass("y"),
        Ordinal("y"),
        Count("y"),
        LifetimeValue("y"),
        Duration("y"),
        Custom("y", by="k"),
        Regression("y"),
    ],
)
def test_only_binary_tasks_make_samples_and_steps(task):
    with pytest.raises(DeclarationError, match="within 'y' is no binary task"):
        Schema(features=[USER], tasks=[task, Regression("z", within="y")])
    with pytest.raises(DeclarationError, match="after 'y' is no binary task"):
        Schema(features=[USER], tasks=[task, Binary("z", after="y")])
