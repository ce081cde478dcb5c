"""Planted faults of rows are said in words, with a remedy: unseen and missing values, contradicting labels."""

from __future__ import annotations

import json
import logging
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import gatewise as gw
from gatewise.analysis import contradicting_labels, feature_drift, steps_without, unlike_training
from gatewise.assembly import build_tasks, to_tensors
from gatewise.data import TableEncoder

ROWS = 3000
SCHEMA = gw.Schema(
    features=[
        gw.Categorical("user", dim=2),
        gw.Categorical("item", dim=2, min_count=2),
        gw.Numeric("price"),
        gw.Sequence("tags", dim=2),
    ],
    tasks=[gw.Binary("click"), gw.Binary("purchase", after="click"), gw.Regression("spent")],
)


def made(seed: int = 0, **changed: object) -> pa.Table:
    """Return rows of a healthy log: some users and items are new in any other part of it, some prices are missing."""
    rng = np.random.default_rng(seed)
    price = rng.gamma(2.0, 5.0, ROWS)
    click = (rng.uniform(size=ROWS) < 0.3).astype(int)
    columns = {
        "user": rng.integers(0, 400, ROWS),
        "item": rng.zipf(1.5, ROWS).clip(max=600),
        "price": pa.array(price, mask=rng.uniform(size=ROWS) < 0.1),
        "tags": [list(map(str, rng.integers(0, 9, rng.integers(0, 4)))) for _ in range(ROWS)],
        "click": click,
        "purchase": click * (rng.uniform(size=ROWS) < 0.2),
        "spent": rng.gamma(2.0, 5.0, ROWS),
    }
    return pa.table({**columns, **changed})


@pytest.fixture(scope="module")
def encoder() -> TableEncoder:
    return TableEncoder.fit(SCHEMA, made())[0]


def unlike(encoder: TableEncoder, table: pa.Table) -> list[tuple[str, tuple[str, ...]]]:
    found = unlike_training(feature_drift(encoder, table, encoder.encode(table, labels=False)))
    assert all(problem.remedy for problem in found)
    return [(problem.kind, problem.who) for problem in found]


def contradicting(encoder: TableEncoder, table: pa.Table) -> list[str]:
    tasks = build_tasks(SCHEMA)
    encoded = to_tensors(encoder.encode(table), sum(task.num_labels for task in tasks))
    return [problem.found for problem in contradicting_labels(tasks, encoded)]


def steps(encoder: TableEncoder, table: pa.Table) -> list[str]:
    known = {name: label.read(table) for name, label in encoder.labels.items()}
    return [problem.found for problem in steps_without(SCHEMA, known)]


def test_a_healthy_table_has_none(encoder):
    for seed in (0, 1):
        table = made(seed)
        assert unlike(encoder, table) == []
        assert contradicting(encoder, table) == []
        assert steps(encoder, table) == []


def test_values_that_training_did_not_learn_are_far_more_than_in_training(encoder):
    rng = np.random.default_rng(5)
    assert unlike(encoder, made(1, user=rng.integers(200, 600, ROWS))) == [("unseen values", ("user",))]
    # a tenth more is what another day brings
    assert unlike(encoder, made(1, user=rng.integers(0, 440, ROWS))) == []


def test_rare_values_were_not_learnt_in_training_either():
    rng = np.random.default_rng(6)
    rare = [*rng.integers(0, 20, ROWS // 2), *range(1000, 1000 + ROWS // 2)]
    encoder = TableEncoder.fit(SCHEMA, made(item=rare))[0]
    again = TableEncoder.from_state(SCHEMA, json.loads(json.dumps(encoder.state())))
    fresh = [*rng.integers(0, 20, ROWS // 2), *range(9000, 9000 + ROWS // 2)]
    later = made(1, item=fresh)
    for each in (encoder, again):
        drifts = feature_drift(each, later, each.encode(later))
        (found,) = [drift for drift in drifts if drift.feature == "item"]
        assert (found.unseen, found.unseen_before) == (0.5, pytest.approx(0.5))
        assert unlike(each, later) == []


def test_nulls_are_far_more_than_in_training(encoder):
    price = pa.array(np.arange(1.0, ROWS + 1) / 300, mask=np.arange(ROWS) % 2 == 0)
    again = TableEncoder.from_state(SCHEMA, json.loads(json.dumps(encoder.state())))
    for each in (encoder, again):
        later = made(1, price=price)
        found = unlike_training(feature_drift(each, later, each.encode(later)))
        assert [problem.kind for problem in found] == ["missing values"]
        assert found[0].found.startswith("feature 'price' is null in 50")
        assert found[0].found.endswith("% of these rows, and in 9% of the training rows")
    # an artefact of an earlier version does not know how many there were
    older = encoder.state()
    del older["nulls"]
    assert unlike(TableEncoder.from_state(SCHEMA, older), made(1, price=price)) == []


def test_a_join_that_repeats_rows_with_other_labels_contradicts(encoder):
    table = made()
    clicked = table.slice(0, 1000)
    other = pa.array(1 - clicked["click"].to_numpy())
    both = pa.concat_tables([clicked, clicked.set_column(4, "click", other)])
    (found,) = [line for line in contradicting(encoder, both) if "'click'" in line]
    assert re.match(
        r"(\d+) of the \1 rows with label [01] of task 'click' have the features of a row with another", found
    )
    # copies of the few clicks without a click, as a join of impressions and clicks makes them
    bought = table.filter(pc.equal(table["click"], 1)).slice(0, 120)
    rest = table.filter(pc.equal(table["click"], 0))
    copies = bought.set_column(4, "click", pa.array(np.zeros(120, dtype=np.int64)))
    found = contradicting(encoder, pa.concat_tables([rest, bought, copies]))
    assert any("rows with label 1 of task 'click'" in line for line in found)
    # the place in a list, an item of it, and a number tell rows apart
    told = both.set_column(3, "tags", pa.array([["1", "2"]] * 1000 + [["2", "1"]] * 1000))
    assert contradicting(encoder, told) == []
    told = both.set_column(2, "price", pa.array([1.0] * 1000 + [2.0] * 1000))
    assert contradicting(encoder, told) == []


def test_where_features_tell_groups_apart_different_labels_are_no_contradiction(encoder):
    groups = made(user=np.arange(ROWS) % 3, item=[1] * ROWS, price=[1.0] * ROWS, tags=[["1"]] * ROWS)
    assert contradicting(encoder, groups) == []


def test_values_that_were_not_learnt_are_alike_to_the_model_alone(encoder):
    pairs = np.arange(ROWS) // 2
    alike = {"item": [1] * ROWS, "price": pairs / 100.0, "tags": [["1"]] * ROWS, "click": np.arange(ROWS) % 2}
    unknown = made(user=np.arange(ROWS) + 10_000, purchase=np.zeros(ROWS), **alike)
    assert contradicting(encoder, unknown) == []
    known = made(user=pairs % 400, purchase=np.zeros(ROWS), **alike)
    assert len(contradicting(encoder, known)) == 1


def test_steps_without_the_step_before_are_counted(encoder):
    table = made()
    click = table["click"].to_numpy().copy()
    bought = np.flatnonzero(table["purchase"].to_numpy())
    click[bought[: len(bought) // 2]] = 0
    (found,) = steps(encoder, table.set_column(4, "click", pa.array(click)))
    assert found == f"{len(bought) // 2} of the {len(bought)} rows with a 'purchase' are without a 'click'"


@pytest.mark.filterwarnings("ignore::gatewise.GatewiseWarning")
def test_a_ranker_says_them_when_it_learns_and_when_it_is_asked(caplog):
    table = made()
    clicked = table.slice(0, 1000)
    other = pa.array(1 - clicked["click"].to_numpy())
    train = pa.concat_tables([clicked, clicked.set_column(4, "click", other)])
    valid = made(1, user=np.arange(ROWS) + 10_000)
    ranker = gw.Ranker(SCHEMA, gw.MMoE(experts=2, expert_dims=[4], tower_dims=[4]), epochs=1)
    with caplog.at_level(logging.WARNING, logger="gatewise.problems"):
        ranker.fit(train, valid)
    said = [record.getMessage() for record in caplog.records]
    assert any("have the features of a row with another label" in line for line in said)
    assert any("100% of these rows have a value of feature 'user' that was not learnt" in line for line in said)
    kinds = [problem.kind for problem in ranker.problems(valid)]
    assert "unseen values" in kinds
    assert "contradicting labels" in [problem.kind for problem in ranker.problems(train)]
