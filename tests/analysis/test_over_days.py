"""Means over days, days of a table, and the strategy that is advised."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest

from gatewise.analysis import advise, over_days, rows_by_day
from gatewise.errors import TableError
from gatewise.metrics.named import AUC, RMSE

COST = {"retrain": 80.0, "update": 10.0, "stale": 0.0}


def advised(click: dict[str, list[float]], error: dict[str, list[float]] | None = None) -> tuple[str, str]:
    metrics = {"click": AUC} | ({} if error is None else {"stay": RMSE})
    daily = {
        name: {"click": values} | ({} if error is None else {"stay": error[name]}) for name, values in click.items()
    }
    found = advise(daily, COST, metrics)
    return found.strategy, found.sentence


def test_an_interval_covers_the_mean_of_days_that_are_drawn_anew() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for seed in range(100):
        found = over_days(rng.normal(0.7, 0.05, 30).tolist(), seed=seed, samples=300)
        hits += found.low <= 0.7 <= found.high
    assert 85 <= hits <= 99
    assert over_days([0.5, None, 0.7]) == over_days([0.5, 0.7])
    assert over_days([0.6]) == (0.6, None, None, 1)
    assert over_days([None, 0.6], [0.5, None]) == (None, None, None, 0)
    # day by day, what moves all strategies alike drops out
    assert over_days([0.7, 0.5, 0.6], [0.69, 0.49, 0.59]).low == pytest.approx(0.01)


def test_the_cheapest_that_loses_nothing_is_advised() -> None:
    days = [0.70, 0.74, 0.72, 0.71, 0.73]
    near, far = [value - 0.0005 for value in days], [value - 0.02 for value in days]
    name, sentence = advised({"retrain": days, "update": near, "stale": far})
    assert name == "update"
    assert sentence == (
        "Use update: over 5 judged days it is nowhere clearly worse than the best, at 12% of the CPU time of retrain."
    )
    # a small loss counts where it is there on every day, and not where days differ by more
    assert advised({"retrain": days, "update": [value - 0.002 for value in days], "stale": far})[0] == "retrain"
    mixed = [value + shift for value, shift in zip(days, (0.02, -0.02, 0.01, -0.02, 0.0), strict=True)]
    assert advised({"retrain": days, "update": mixed, "stale": far})[0] == "update"


def test_a_strategy_may_lose_on_one_task_and_errors_are_the_better_the_smaller() -> None:
    days, errors = [0.7, 0.72, 0.71], [10.0, 11.0, 10.5]
    clicks = {"retrain": days, "update": [0.69, 0.71, 0.70], "stale": [0.6, 0.6, 0.6]}
    stays = {"retrain": [11.0, 12.0, 11.5], "update": errors, "stale": [14.0, 15.0, 14.5]}
    name, sentence = advised(clicks, stays)
    assert name == "update"
    assert "click, where retrain is better by 0.0100" in sentence
    assert "3 judged days say little" in sentence


def test_days_are_made_of_whatever_tells_time() -> None:
    moments = [datetime.datetime(2026, 5, 2, 23), datetime.datetime(2026, 5, 1, 1), datetime.datetime(2026, 5, 2, 1)]
    seconds = [int(each.replace(tzinfo=datetime.UTC).timestamp()) for each in moments]
    expected = [("2026-05-01", [1]), ("2026-05-02", [0, 2])]
    for values in (moments, seconds, [each * 1000 for each in seconds], [each.date() for each in moments]):
        found = rows_by_day(pa.table({"when": values, "row": [0, 1, 2]}), "when")
        assert [(name, rows["row"].to_pylist()) for name, rows in found] == expected
    names = [name for name, _ in rows_by_day(pa.table({"when": ["w2", "w10", "w2"]}), "when")]
    assert names == ["w10", "w2"]
    for wrong, said in (([1.5, 2.0], "found double"), ([1, None], "1 rows have no time"), ([[1], [2]], "found")):
        with pytest.raises(TableError, match=f"time 'when': .*{said}"):
            rows_by_day(pa.table({"when": wrong}), "when")
