"""Features that know a label before a model does."""

from __future__ import annotations

import logging

import numpy as np
import pyarrow as pa

import gatewise as gw
from gatewise.analysis import leaks

ROWS = 3000
RNG = np.random.default_rng(0)
X = RNG.normal(size=ROWS)
CLICK = (X + RNG.normal(size=ROWS) > 1).astype(int)
TABLE = pa.table(
    {
        "x": X,
        "shop": RNG.integers(0, 9, ROWS),
        "dwell": np.where(CLICK == 1, RNG.exponential(9, ROWS), 0),
        "refund": pa.array(
            [3.0 if c and r < 0.1 else None for c, r in zip(CLICK, RNG.uniform(size=ROWS), strict=True)]
        ),
        "click": CLICK,
    }
)


def schema(*names: str) -> gw.Schema:
    return gw.Schema(features=[gw.Numeric(name) for name in names], tasks=[gw.Binary("click")])


def test_columns_that_come_after_the_event_are_named():
    found = leaks(TABLE, schema("x", "shop", "dwell", "refund"))
    assert {problem.who for problem in found} == {("dwell", "click"), ("refund", "click")}
    assert all(problem.kind == "leak" and "known before" in problem.remedy for problem in found)
    assert "'dwell' alone tells 'click' with AUC 1.000" in found[0].found
    assert "'click' is 1 wherever 'refund' has a value" in found[1].found


def test_good_features_few_rows_and_absent_labels_are_no_leak():
    assert leaks(TABLE, schema("x", "shop")) == []
    assert leaks(TABLE.slice(0, 40), schema("dwell")) == []
    assert leaks(TABLE.drop_columns(["click"]), schema("dwell")) == []


def test_a_ranker_says_it_of_a_table_with_labels(caplog):
    with caplog.at_level(logging.WARNING, "gatewise.problems"):
        ranker = gw.Ranker(schema("x", "dwell"), "shared_bottom", epochs=1, batch_size=500).fit(TABLE)
    assert any("'dwell' alone tells 'click'" in record.getMessage() for record in caplog.records)
    assert ("dwell", "click") in {problem.who for problem in ranker.problems(TABLE) if problem.kind == "leak"}
    assert not [problem for problem in ranker.problems(TABLE.drop_columns(["click"])) if problem.kind == "leak"]
