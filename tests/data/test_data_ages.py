"""Labels by a moment: rows younger than a task's delay are in no sample of the task, whatever the times are made of."""

from __future__ import annotations

import datetime
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.data import AsOf, TableEncoder, TableLearner, at, newest, read_at
from gatewise.data.labels import label_encoder, read_labels
from gatewise.errors import DeclarationError, TableError

DAY = 86_400
FROM = 1_777_593_600  # 2026-05-01
NAN = float("nan")
USER = gw.Categorical("user", dim=2)
DAYS = [0, 1, 2, 3, 4, 5]
LABELS = [1, 0, 1, 0, 1, 1]


def schema(**options: object) -> gw.Schema:
    buy = gw.Binary("buy", **({"delay": "2d", "time": "time"} | options))
    return gw.Schema(features=[USER], tasks=[gw.Binary("click"), buy])


def table(times: object, labels: object = LABELS, **columns: object) -> pa.Table:
    rows = len(labels)
    return pa.table(
        {"user": [0, 1] * (rows // 2), "click": [0, 1] * (rows // 2), "buy": labels, "time": times, **columns}
    )


def labels_of(schema: gw.Schema, rows: pa.Table, as_of: AsOf | None = None) -> np.ndarray:
    encoded = TableEncoder.fit(schema, rows, as_of)[1]
    assert encoded.labels is not None
    return encoded.labels


SECONDS = [FROM + day * DAY for day in DAYS]
MOMENTS = [datetime.datetime(2026, 5, 1 + day) for day in DAYS]
TIMES = {
    "seconds": pa.array(SECONDS),
    "milliseconds": pa.array([1000 * second for second in SECONDS]),
    "timestamps": pa.array(MOMENTS),
    "with a zone": pa.array(MOMENTS, pa.timestamp("us", tz="UTC")),
    "dates": pa.array([moment.date() for moment in MOMENTS]),
    "texts": pa.array([str(moment) for moment in MOMENTS]),
    "written dates": pa.array([20260501 + day for day in DAYS]),
}


@pytest.mark.parametrize("kind", TIMES)
def test_young_labels_are_missing_whatever_times_are_made_of(kind):
    rows = table(TIMES[kind])
    found = labels_of(schema(), rows)
    # the newest row is of day 5: rows up to day 3 are two days old
    assert np.array_equal(found[:, 1], [1, 0, 1, 0, NAN, NAN], equal_nan=True)
    assert not np.isnan(found[:, 0]).any()
    for now in ("2026-05-06 12:00", FROM + 5.5 * DAY, datetime.datetime(2026, 5, 6, 12)):
        later = labels_of(schema(), rows, read_at(schema(), rows, now))
        assert np.array_equal(later[:, 1], [1, 0, 1, 0, NAN, NAN], equal_nan=True)
    assert not np.isnan(labels_of(schema(), rows, read_at(schema(), rows, datetime.date(2026, 5, 8)))).any()


def test_numbers_of_another_unit_take_a_delay_of_that_unit():
    rows = table(DAYS)
    assert np.array_equal(labels_of(schema(delay=2), rows)[:, 1], [1, 0, 1, 0, NAN, NAN], equal_nan=True)
    assert at(schema(delay=2), 7) == {"time": 7.0}
    with pytest.raises(
        TableError, match=r"time of task 'buy': column 'time' holds numbers from 0 on: expected seconds"
    ):
        labels_of(schema(), rows)
    with pytest.raises(TableError, match=r"holds times, expected a delay such as '3d', not 2"):
        labels_of(schema(delay=2), table(TIMES["dates"]))
    with pytest.raises(TableError, match=r"now 'tomorrow' for delays by 'time': expected a date, a time or seconds"):
        at(schema(), "tomorrow")


def test_rows_without_a_time_and_of_the_future_are_not_final():
    rows = table(pa.array([*SECONDS[:4], None, SECONDS[0]]), LABELS)
    found = labels_of(schema(), rows, read_at(schema(), rows, FROM + 3 * DAY))
    assert np.array_equal(found[:, 1], [1, 0, NAN, NAN, NAN, 1], equal_nan=True)


@pytest.mark.parametrize(
    "task",
    [
        gw.Regression("buy", delay="2d", time="time"),
        gw.Count("buy", delay="2d", time="time"),
        gw.Multiclass("buy", delay="2d", time="time"),
        gw.LifetimeValue("buy", delay="2d", time="time"),
        gw.Duration("buy", limit="user", delay="2d", time="time"),
        gw.Custom("buy", by="unknown", delay="2d", time="time"),
    ],
    ids=lambda task: task.kind,
)
def test_every_kind_waits(task):
    declared = gw.Schema(features=[gw.Numeric("x")], tasks=[task])
    rows = table(SECONDS, x=[0.5] * 6).set_column(0, "user", pa.array([9.0] * 6))
    assert np.array_equal(np.isnan(labels_of(declared, rows)[:, 0]), [False] * 4 + [True] * 2)


def test_statistics_are_those_of_final_labels():
    rows = table(SECONDS, [1, 0, 0, 0, 1, 1])
    assert TableEncoder.fit(schema(), rows)[0].statistics["buy"] == {"rate": 0.25}


def test_pieces_are_read_at_the_moment_of_the_whole():
    rows = table(SECONDS)
    whole = labels_of(schema(), rows)
    as_of = read_at(schema(), rows)
    learner = TableLearner(schema(), as_of)
    parts = [learner.absorb(rows.slice(start, 2)).labels for start in (0, 2, 4)]
    assert np.array_equal(np.concatenate(parts), whole, equal_nan=True)
    encoder = learner.learn()
    parts = [encoder.encode_piece(rows.slice(start, 2), as_of=as_of).labels for start in (0, 2, 4)]
    assert np.array_equal(np.concatenate(parts), whole, equal_nan=True)
    assert newest(schema(), [rows.slice(0, 2), rows.slice(2)]) == {"time": SECONDS[-1]}


def test_a_step_waits_for_the_steps_before_and_leaves_no_zeros_behind():
    tasks = [
        gw.Binary("click"),
        gw.Binary("cart", after="click", delay="4d", time="time"),
        gw.Binary("buy", after="cart", delay="2d", time="time"),
        gw.LifetimeValue("value", after="buy"),
    ]
    declared = gw.Schema(features=[USER], tasks=tasks)
    steps = [1, 1, None, 0, 0, 1]
    rows = table(SECONDS, steps, cart=steps, value=[2.0, 3.0, None, 0.0, 0.0, 2.0])
    encoders = {task.name: label_encoder(task) for task in tasks}
    # only rows of days 0 and 1 are four days old, and nobody knows of the others whether they convert
    found, _ = read_labels(declared, encoders, rows)
    for column in (1, 2, 3):
        assert np.array_equal(np.isnan(found[:, column]), [False, False, True, True, True, True])
    # a final row that left the funnel at its first step is a zero of every later one
    rows = table(SECONDS, [None] * 6, cart=[None] * 6, value=[None] * 6)
    found, _ = read_labels(declared, encoders, rows)
    assert np.array_equal(found[0], [0, 0, 0, 0])
    assert np.array_equal(np.isnan(found[1:]), [[False, True, True, True]] * 5)


def test_what_became_final_since_weighs_and_nothing_else():
    declared, rows = schema(), table(SECONDS)
    encoder = TableEncoder.fit(declared, rows)[0]
    now, since = {"time": FROM + 5.0 * DAY}, {"time": FROM + 3.0 * DAY}
    found = encoder.encode(rows, weights=True, as_of=AsOf(now, since))
    assert found.weights.tolist() == [[0, 0], [0, 0], [0, 1], [0, 1], [0, 0], [0, 0]]
    assert encoder.encode(rows, weights=True, as_of=AsOf(now, {})).weights[:, 1].tolist() == [1, 1, 1, 1, 0, 0]
    # every label once, for moments that follow each other
    moments = [FROM + day * DAY for day in (-1, 1.5, 2, 5, 9)]
    counted = sum(
        encoder.encode(rows, weights=True, as_of=AsOf({"time": two}, {"time": one})).weights[:, 1]
        for one, two in pairwise(moments)
    )
    assert counted.tolist() == [1] * 6


def test_ones_that_are_not_seen_yet_or_come_too_late_are_zeros():
    declared = schema(late="delayed_feedback", seen="seen")
    seen = [FROM + DAY, None, FROM + 2.5 * DAY, None, FROM + 4.5 * DAY, FROM + 9 * DAY]
    rows = table(SECONDS, seen=seen)
    found = labels_of(declared, rows)[:, 1:]
    assert found[:, 0].tolist() == [1, 0, 1, 0, 1, 0]
    assert found[:, 1].tolist() == [1, 1, 1, 1, 0.5, 0]
    assert np.array_equal(found[:, 2], [0.5, NAN, 0.25, NAN, 0.25, NAN], equal_nan=True)
    before = labels_of(declared, rows, read_at(declared, rows, FROM + 2 * DAY))[:, 1]
    assert np.array_equal(before, [1, 0, 0, NAN, NAN, NAN], equal_nan=True)
    with pytest.raises(TableError, match=r"seen of task 'buy': row 0 has it before its 'time'"):
        labels_of(declared, table(SECONDS, seen=[FROM - 1, *seen[1:]]))


def test_mistakes_are_one_line():
    with pytest.raises(TableError, match=r"time of task 'buy': the table has no column 'tme'; did you mean 'time'\?"):
        labels_of(schema(time="tme"), table(SECONDS))
    with pytest.raises(TableError, match=r"label of task 'buy': no row of the training table is 9d old by 'time'"):
        labels_of(schema(delay="9d"), table(SECONDS))
    with pytest.raises(TableError, match=r"column 'time' holds bool, expected times"):
        labels_of(schema(), table([True] * 6))
    with pytest.raises(DeclarationError, match=r"now '5' is the moment for tasks with a delay, and no task has one"):
        read_at(gw.Schema(features=[USER], tasks=[gw.Binary("click")]), table(SECONDS), 5)
    with pytest.raises(
        TableError, match=r"negatives_kept of task 'buy': found null in row 1, expected a share above 0"
    ):
        labels_of(schema(negatives_kept="share"), table(SECONDS, share=[None, None, 1, 1, 1, 1]))
    with pytest.warns(
        gw.GatewiseWarning, match=r"task 'buy': no row is 2d old by 'time', so that it is not judged: give"
    ):
        TableEncoder.fit(schema(), table(SECONDS))[0].encode(table(SECONDS[-2:], [0, 1]))


def test_negatives_count_for_those_that_were_dropped():
    tasks = [gw.Binary("click", negatives_kept=0.1), gw.Binary("buy", after="click", negatives_kept=0.5)]
    rows = pa.table({"user": [0, 1, 0, 1], "click": [0, 1, 1, None], "buy": [0, 0, 1, None]})
    encoder, found = TableEncoder.fit(gw.Schema(features=[USER], tasks=tasks), rows)
    assert np.allclose(found.weights, [[10, 10], [1, 2], [1, 1], [1, 1]])
    assert encoder.statistics["click"]["rate"] == pytest.approx(2 / 12)
    column = gw.Schema(features=[USER], tasks=[gw.Binary("click", negatives_kept="share", weight_column="w")])
    rows = pa.table({"user": [0, 1, 0], "click": [0, 1, 0], "share": [0.25, None, 1.0], "w": [2.0, 2.0, 2.0]})
    encoder, found = TableEncoder.fit(column, rows)
    assert found.weights[:, 0].tolist() == [8, 2, 2]
    assert encoder.statistics["click"]["rate"] == pytest.approx(1 / 6)
