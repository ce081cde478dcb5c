"""A table beside the training table, and labels by day."""

from __future__ import annotations

import datetime
import json

import numpy as np
import pyarrow as pa
import pytest
import torch

import gatewise as gw
from gatewise.analysis import feature_drift, over_time
from gatewise.data import TableEncoder
from gatewise.tasks import BinaryTask, Predicted

SCHEMA = gw.Schema(
    features=[
        gw.Categorical("user", dim=2),
        gw.Numeric("plain"),
        gw.Numeric("ranked", transform="quantile"),
        gw.Numeric("raw", transform="none"),
    ],
    tasks=[gw.Binary("click")],
)


def made(shift: float = 0.0, users: int = 50) -> pa.Table:
    rng = np.random.default_rng(0)
    numbers = rng.normal(10, 2, (3, 2000))
    columns = dict(zip(("plain", "ranked", "raw"), numbers + 2 * shift, strict=True))
    return pa.table({"user": np.arange(2000) % users, **columns, "click": np.arange(2000) % 2})


@pytest.fixture(scope="module")
def encoder() -> TableEncoder:
    return TableEncoder.fit(SCHEMA, made())[0]


def drift(encoder, table):
    return {each.feature: each for each in feature_drift(encoder, table, encoder.encode(table))}


def test_the_training_table_has_not_drifted(encoder):
    found = drift(encoder, made())
    assert not any(each.drifted for each in found.values())
    assert found["user"][1:] == (0.0, None, 0.0, None, None, 0.0, 0.0, None)
    for name in ("plain", "ranked", "raw"):
        assert found[name].shift == pytest.approx(0, abs=0.02)
        assert found[name].spread == pytest.approx(1, abs=0.02)


def test_shifts_are_in_standard_deviations_and_unseen_values_shares(encoder):
    found = drift(encoder, made(1.0, users=100))
    assert [found[name].shift for name in ("plain", "raw")] == pytest.approx([1, 1], abs=0.02)
    assert 0.5 < found["ranked"].shift < 1
    assert found["user"].unseen == 0.5
    assert all(each.drifted for each in found.values())


def test_nulls_that_training_did_not_have_are_drift(encoder):
    table = made()
    nulls = pa.array(table["plain"].to_numpy(), mask=np.arange(2000) < 500)
    found = drift(encoder, table.set_column(1, "plain", nulls))["plain"]
    assert (found.nulls, found.new_nulls, found.drifted) == (0.25, True, True)
    # of the values that are there the mean has not moved
    assert abs(found.shift) < 0.1


@pytest.mark.parametrize("kind", ["timestamp", "date", "seconds", "milliseconds"])
def test_labels_and_predictions_are_those_of_each_day(kind):
    first = datetime.datetime(2024, 5, 1, 12)
    times = [first + datetime.timedelta(days=k // 4) for k in range(12)]
    seconds = [int(time.replace(tzinfo=datetime.UTC).timestamp()) for time in times]
    columns = {
        "timestamp": pa.array(times),
        "date": pa.array([time.date() for time in times]),
        "seconds": pa.array(seconds),
        "milliseconds": pa.array([1000 * each for each in seconds]),
    }
    labels = torch.tensor([1.0, 0, 0, torch.nan] * 3, dtype=torch.float64)
    rows = Predicted([BinaryTask("click")], {"click": torch.arange(12.0) / 12}, labels.unsqueeze(1))
    found = over_time(rows, pa.table({"when": columns[kind]}), "when")
    assert found.first.startswith("2024-05-01")
    assert [each.when for each in found.periods["click"]] == ["2024-05-01", "2024-05-02", "2024-05-03"]
    assert [each.rows for each in found.periods["click"]] == [3, 3, 3]
    assert [each.label for each in found.periods["click"]] == pytest.approx([1 / 3] * 3)
    assert [each.prediction for each in found.periods["click"]] == pytest.approx([1 / 12, 5 / 12, 9 / 12])


def test_a_column_without_a_value_has_no_period():
    rows = Predicted([BinaryTask("click")], {"click": torch.zeros(2)}, torch.zeros(2, 1))
    assert over_time(rows, pa.table({"when": pa.nulls(2, pa.int64())}), "when") is None


def test_lists_events_and_hashed_ids_have_an_index_over_items_and_buckets():
    hashed = gw.Categorical("shop", dim=2, hash_buckets=50)
    events = gw.Events("seen", [gw.EventId("item", dim=2)], pooling="mean")
    lists = [gw.Sequence("tags", dim=2), gw.Sequence("coded", dim=2, hash_buckets=30), events]
    schema = gw.Schema(features=[hashed, *lists], tasks=[gw.Binary("click")])

    def rows(first: int) -> pa.Table:
        rng = np.random.default_rng(first)
        values = first + rng.geometric(0.4, (1000, 3))
        columns = {name: values.tolist() for name in ("tags", "coded", "item")}
        return pa.table({"shop": values[:, 0], **columns, "click": np.arange(1000) % 2})

    encoder, encoded = TableEncoder.fit(schema, rows(0))
    encoder.learn_shares(encoded)
    encoder = TableEncoder.from_state(schema, json.loads(json.dumps(encoder.state())))
    like, other = (drift(encoder, rows(first)) for first in (0, 2))
    assert {name: round(each.psi, 6) for name, each in like.items()} == dict.fromkeys(like, 0)
    assert len(like) == 4
    for name, each in other.items():
        assert each.psi > 0.25, name
        assert each.drifted
        assert "PSI" in each.in_words()
    empty = rows(0).set_column(1, "tags", pa.array([[]] * 1000, pa.list_(pa.int64())))
    assert drift(encoder, empty)["tags"].psi > 1
