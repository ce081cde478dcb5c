"""What is proposed for a log, with the reasons."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.errors import DeclarationError, GatewiseWarning, TableError
from gatewise.look import Proposal, profile, propose
from gatewise.look.features import MIN_COUNT

NAMED = ["click", "purchase"]


@pytest.fixture(scope="module")
def proposal(log) -> Proposal:
    return propose(profile(log))


def kinds(found: Proposal) -> dict[str, str]:
    return {each.declared.name: each.declared.kind for each in found.features}


def why(found: Proposal) -> dict[str, str]:
    return {each.column: each.reason for each in found.left_out}


def test_every_column_becomes_a_feature_a_task_or_is_left_out_with_a_reason(proposal, log):
    tasks = [each.declared.name for each in proposal.tasks]
    assert sorted([*kinds(proposal), *why(proposal), *tasks]) == sorted(log.column_names)
    assert all(each.reason for each in (*proposal.features, *proposal.tasks, *proposal.left_out))


def test_kinds_of_features_follow_from_names_and_values(proposal):
    assert kinds(proposal) == {
        "user_id": "categorical",
        "item_id": "categorical",
        "tags": "sequence",
        "embedding": "vector",
        "age": "numeric",
        "price": "numeric",
    }
    declared = {each.declared.name: each.declared for each in proposal.features}
    assert declared["tags"].separator == "|"
    assert declared["embedding"].size == 3
    assert declared["price"].transform == "log"
    assert declared["user_id"].dim == 8


def test_what_is_no_feature_says_why(proposal):
    said = why(proposal)
    assert said["row"] == "is unique per row"
    assert "request" in said["request_id"]
    assert "'item_id', which stays" in said["item_code"]
    assert said["ts"].startswith("is the time of the row")
    assert said["signup_date"].startswith("is a time")
    assert said["version"] == "is constant: 8.1 in every row"
    assert said["nothing"] == "has no value in any row"
    assert said["title"] == "is unique per row"
    assert said["refund"].startswith("LEAK? 'purchase' is 1 wherever 'refund' has a value")


def test_tasks_are_a_funnel_time_splits_and_requests_are_groups(proposal):
    click, purchase = (next(e.declared for e in proposal.tasks if e.declared.name == name) for name in NAMED)
    assert click.after is None
    assert purchase.after == "click"
    assert next(e.declared.kind for e in proposal.tasks if e.declared.name == "dwell_ms") == "lifetime_value"
    assert proposal.split.time == "ts"
    assert proposal.group == "request_id"


def test_named_tasks_leave_other_feedback_out(log):
    found = propose(profile(log, ["click"]))
    said = why(found)
    assert "'dwell_ms' alone tells 'click'" in said["dwell_ms"]
    assert [each.declared.name for each in found.tasks] == ["click"]
    assert any("'dwell_ms' leaks" in remark for remark in found.remarks)


def test_declared_tasks_stay_as_they_are(log):
    task = gw.Regression("seconds", column="dwell_ms", loss="mae")
    found = propose(profile(log, [task]))
    assert found.tasks[0].declared == task
    assert "dwell_ms" not in kinds(found)


def test_given_time_and_group_are_taken_and_none_is_none(log):
    found = propose(profile(log, NAMED, time="none", group="none"))
    assert found.split.seed == 0
    assert found.split.group is None
    assert found.group is None
    assert propose(profile(log, NAMED, group="user_id")).group == "user_id"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"tasks": ["clik"]}, "task 'clik': the table has no such column; did you mean 'click'?"),
        ({"time": "tz"}, "time 'tz': the table has no such column (columns: row, request_id,"),
        ({"group": "user"}, "group 'user': the table has no such column; did you mean 'user_id'?"),
        ({"tasks": ["embedding"]}, "no column can be a label: 'embedding' holds vectors"),
    ],
)
def test_a_wrong_name_is_answered_with_the_nearest(log, options, said):
    with pytest.raises(TableError) as error:
        propose(profile(log, **options))
    assert said in str(error.value)


def test_no_tasks_is_an_error_and_none_is_a_proposal(log):
    with pytest.raises(DeclarationError, match="expected one name or more"):
        profile(log, [])


def test_schema_from_table_warns_of_leaks_and_can_train():
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    label = (x + rng.normal(size=400) > 0) * 1
    table = pa.table({"x": x, "copy_of_y": label * 2.5, "liked": label})
    with pytest.warns(GatewiseWarning, match="'copy_of_y' leaks and is left out"):
        schema = gw.Schema.from_table(table, ["liked"])
    assert [feature.name for feature in schema.features] == ["x"]
    gw.Ranker(schema, gw.SharedBottom(), epochs=1).fit(table)


def test_a_table_without_named_labels_says_that_its_task_is_a_guess():
    rng = np.random.default_rng(0)
    found = propose(profile({"a": rng.normal(size=200), "b": rng.normal(size=200)}))
    assert [each.declared.name for each in found.tasks] == ["b"]
    assert "task 'b' is a guess" in found.remarks[0]


def test_rows_of_a_patient_stay_in_one_part():
    rng = np.random.default_rng(0)
    rows = pa.table(
        {"patient_id": np.repeat(np.arange(100), 4), "x": rng.normal(size=400), "visits": rng.poisson(2, 400)}
    )
    found = propose(profile(rows, ["visits"]))
    assert found.split.group == "patient_id"
    assert found.split.seed == 0
    assert "patient_id" not in kinds(found)


def test_ids_of_few_rows_share_a_vector():
    rng = np.random.default_rng(0)
    table = {"item_id": rng.integers(0, 1000, 4000), "click": rng.integers(0, 2, 4000)}
    [item] = propose(profile(table)).features
    assert item.declared.min_count == MIN_COUNT
    assert "rare ones share a vector" in item.reason


def test_weights_parts_and_foreign_dates_are_left_out():
    rng = np.random.default_rng(0)
    table = {
        "x": rng.normal(size=600),
        "weight": rng.random(600),
        "fold": np.array(["train", "test"])[rng.integers(0, 2, 600)],
        "day": [f"{1 + n % 12}/{1 + n % 28}/2024" for n in range(600)],
        "click": rng.integers(0, 2, 600),
    }
    said = why(propose(profile(table)))
    assert set(said) == {"weight", "fold", "day"}
    assert "another form than 2024-05-31" in said["day"]
