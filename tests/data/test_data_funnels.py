"""Labels of funnels that contradict, samples within other tasks, groups."""

from __future__ import annotations

import warnings

import numpy as np
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.data import TableEncoder
from gatewise.errors import DeclarationError, GatewiseWarning, TableError

NAN = float("nan")
ROWS = {
    "user": [1, 1, 2, 2, 3, 3, 4],
    "click": [0, 1, 1, 1, 0, None, 0],
    "cart": [0, 0, 1, 1, 1, None, 0],
    "buy": [1, 0, 0, 1, 1, None, 0],
    "stars": [5.0, 1.0, 2.0, 3.0, 9.0, 4.0, 6.0],
}


def schema_of(*tasks, **options):
    return gw.Schema([gw.Categorical("user")], tasks, **options)


def funnel(**options):
    return (gw.Binary("click"), gw.Binary("cart", after="click", **options), gw.Binary("buy", after="cart", **options))


@pytest.mark.parametrize(
    ("conflicts", "expected", "said"),
    [
        (
            "trust_before",
            [[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1], [0, 0, 0], [NAN] * 3, [0, 0, 0]],
            ["task 'cart': 1 of 7 rows have it without 'click'; they count as 0", "task 'buy': 2 of 7 rows"],
        ),
        (
            "trust_after",
            [[1, 1, 1], [1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 1, 1], [NAN] * 3, [0, 0, 0]],
            ["task 'buy': 1 of 7 rows have it without 'cart'; the steps before count as 1 there"],
        ),
        (
            "drop",
            [[0, NAN, NAN], [1, 0, 0], [1, 1, 0], [1, 1, 1], [NAN, NAN, 1], [NAN] * 3, [0, 0, 0]],
            ["task 'cart': 1 of 7 rows have it without 'click'; they are left out", "task 'buy': 1 of 7 rows"],
        ),
    ],
)
def test_contradictions_are_counted_and_settled(conflicts, expected, said):
    with pytest.warns(GatewiseWarning) as caught:
        encoder, encoded = TableEncoder.fit(schema_of(*funnel(conflicts=conflicts)), ROWS)
    np.testing.assert_array_equal(encoded.labels, expected)
    messages = [str(warning.message) for warning in caught]
    assert all(any(message.startswith(start) for message in messages) for start in said), messages
    # other tables are settled alike, and silently
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(encoder.encode(ROWS).labels, expected)


def test_contradictions_can_be_forbidden():
    with pytest.raises(
        TableError, match="task 'cart': 1 of 7 rows have it without 'click', which its conflicts: error"
    ):
        TableEncoder.fit(schema_of(*funnel(conflicts="error")), ROWS)


def test_statistics_are_those_of_the_sample():
    tasks = (gw.Binary("click"), gw.Binary("cart", after="click"), gw.Regression("stars", within="click"))
    clean = ROWS | {"cart": [0, 0, 1, 1, 0, None, 0]}
    statistics = TableEncoder.fit(schema_of(*tasks), clean)[0].statistics
    assert statistics["click"] == {"rate": 3 / 6}
    assert statistics["cart"] == {"rate": 2 / 3}
    assert statistics["stars"] == {"mean": 2.0, "std": pytest.approx(np.std([1, 2, 3]))}


@pytest.mark.parametrize(
    ("task", "columns", "message"),
    [
        (gw.Binary("buy", after="click"), {"buy": [0] * 7}, "in every row of the training table where .click. is 1"),
        (
            gw.Regression("stars", within="click"),
            {"stars": [1.0, None, None, None, 2.0, 3.0, 4.0]},
            "there is none in the training table where 'click' is 1",
        ),
    ],
)  # fmt: skip
def test_what_the_sample_does_not_show_cannot_be_learnt(task, columns, message):
    with pytest.raises(TableError, match=message):
        TableEncoder.fit(schema_of(gw.Binary("click"), task), ROWS | columns)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (["a", "b", "a", None], [0, 1, 0, -1]),
        ([7, 9, 7, 9], [0, 1, 0, 1]),
        (pa.array(["x", None, "y", "x"]).dictionary_encode(), [0, -1, 1, 0]),
    ],
)
def test_groups_are_numbered(column, expected):
    schema = gw.Schema([gw.Categorical("a")], [gw.Binary("y")], group="request")
    table = {"a": [1, 2, 3, 4], "y": [0, 1, 0, 1], "request": column}
    encoder, encoded = TableEncoder.fit(schema, table)
    assert encoded.groups.tolist() == expected
    assert encoder.encode(table).groups.tolist() == expected
    assert encoder.encode({"a": [1]}, labels=False).groups is None
    with pytest.raises(TableError, match="group 'request': the table has no column 'request'; did you mean 'requests'"):
        TableEncoder.fit(schema, {"a": [1, 2], "y": [0, 1], "requests": [1, 2]})
    with pytest.raises(TableError, match="group 'request': expected integers, strings or booleans, found list"):
        TableEncoder.fit(schema, {"a": [1, 2], "y": [0, 1], "request": [[1], [2]]})


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ((gw.Binary("buy", after="click"),), "task 'buy': after 'click' is no task"),
        ((gw.Binary("clicks"), gw.Binary("buy", after="click")), "after 'click' is no task; did you mean 'clicks'"),
        ((gw.Regression("stars"), gw.Binary("buy", after="stars")), "task 'buy': after 'stars' is no binary task"),
        ((gw.Binary("a", after="b"), gw.Binary("b", after="a")), "task 'a': after leads back to 'a'"),
        ((gw.Binary("a", within="a"),), "task 'a': within leads back to 'a'"),
        (
            (gw.Binary("a"), gw.Binary("b"), gw.Binary("c", after="a", through="b")),
            "through 'b' is to come after 'a' too, and comes after None",
        ),
        ((gw.Binary("a"), gw.Binary("b", after="a"), gw.Regression("a_and_b")), "'a_and_b' is declared twice"),
        ((gw.Binary("a", ranking="pairwise"),), "ranking compares rows of a group, and the schema has no"),
    ],
)  # fmt: skip
def test_relations_that_cannot_be_are_named(tasks, message):
    with pytest.raises(DeclarationError, match=message):
        schema_of(*tasks)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"learn": "ips"}, "learn belongs to a step of a funnel"),
        ({"conflicts": "drop"}, "conflicts belongs to a step of a funnel"),
        ({"after": "click", "within": "click"}, "within does not go with 'after'"),
        ({"after": "click", "ranking": "listwise"}, "ranking does not go with 'after'"),
        ({"after": "click", "focal": 2}, "focal does not go with 'after'"),
        ({"after": "click", "through": "click"}, "through: 'click' is the step before"),
        ({"after": "click", "learn": "escm"}, "expected 'entire_space', 'observed', 'ips' or 'dr', found 'escm'"),
    ],
)
def test_options_that_do_not_fit_each_other(options, message):
    with pytest.raises(DeclarationError, match=message):
        gw.Binary("buy", **options)


def test_a_step_brings_those_before_it():
    schema = schema_of(
        gw.Binary("buy", after="click", through="cart"), gw.Binary("like"), gw.Binary("cart", after="click"),
        gw.Binary("click"), gw.Regression("stars", within="like"),
    )  # fmt: skip
    assert [task.name for task in schema.only("buy").tasks] == ["buy", "cart", "click"]
    assert [task.name for task in schema.only("stars").tasks] == ["like", "stars"]
    assert [task.name for task in schema.only("click", "buy").tasks] == ["click", "buy", "cart"]
