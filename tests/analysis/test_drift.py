"""A table beside the training table, and labels by day."""

from __future__ import annotations

import datetime

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
