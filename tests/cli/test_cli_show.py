"""Tables for the terminal."""

from __future__ import annotations

import gatewise as gw
from gatewise.analysis import Slice
from gatewise.assembly import build_tasks
from gatewise.cli.show import slices_tables
from gatewise.progress import terminal

SCHEMA = gw.Schema(features=[gw.Numeric("x")], tasks=[gw.Binary("click"), gw.Regression("stars")])


def printed(found: object) -> str:
    console = terminal(width=120)
    with console.capture() as caught:
        console.print(found)
    return caught.get()


def test_a_prediction_without_the_metric_has_no_heading():
    found = {"click": [Slice("k", "a", 9, {"auc": 0.75}), Slice("k", "b", 8, {"auc": 0.7})]}
    found["stars"] = [Slice("k", "a", 9, {}), Slice("k", "b", 8, {})]
    text = printed(slices_tables(found, build_tasks(SCHEMA), "metrics on rows.parquet"))
    assert "click: metrics on rows.parquet" in text
    assert "stars" not in text
