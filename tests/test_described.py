"""A ranker and its results in words: one line, a summary, pages of notebooks."""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import gatewise as gw
from gatewise.analysis import Problem, problems_grids
from gatewise.data import frame_like
from gatewise.errors import GatewiseError, TableError
from gatewise.grids import ShownList

ROWS = 120
SCHEMA = gw.Schema(
    features=[gw.Categorical("user", dim=4), gw.Numeric("age"), gw.Sequence("<b>", dim=2, column="genres")],
    tasks=[gw.Binary("click", weight=2.0), gw.Regression("stars", column="rating")],
    group="user",
)


def table(seed: int) -> dict[str, object]:
    rng = np.random.default_rng(seed)
    age = rng.normal(size=ROWS)
    genres = [["drama"], ["war", "drama"], []] * (ROWS // 3)
    click = (age + rng.normal(size=ROWS) > 0).astype(int)
    return {"user": rng.integers(0, 9, ROWS), "age": age, "genres": genres, "click": click, "rating": age * 3}


@pytest.fixture(scope="module")
def ranker() -> gw.Ranker:
    model = gw.MMoE(experts=2, expert_dims=[4], gate_dims=[], tower_dims=[3])
    return gw.Ranker(SCHEMA, model, epochs=2, batch_size=40).fit(table(0), table(1))


def test_a_schema_is_one_line_and_a_page_with_the_options_that_were_given():
    assert repr(SCHEMA) == "<Schema 3 features: user, age, <b>; tasks: click, stars>"
    many = gw.Schema(features=[gw.Numeric(f"x{place}") for place in range(300)], tasks=[gw.Binary("y")])
    assert repr(many) == "<Schema 300 features: x0, x1, x2, x3, x4 and 295 more; tasks: y>"
    page = SCHEMA._repr_html_()
    for said in ("<td>user</td>", "dim=4", "weight=2.0", "<td>rating</td>", "&lt;b&gt;", "groups: user"):
        assert said in page
    assert "<b>," not in page
    assert "and 200 more" in many._repr_html_()
    assert len(many._repr_html_()) < 20_000


def test_a_ranker_is_a_page_before_and_after_fit(ranker):
    before = gw.Ranker(SCHEMA, "ple", fusion="click * 2")._repr_html_()
    for said in ("not fitted", "<td>PLE</td>", "<td>click * 2</td>"):
        assert said in before
    assert "epoch" not in before
    kept = next(record for record in reversed(ranker.history) if record.best)
    page = ranker._repr_html_()
    size = ranker.model.num_parameters()
    expected = ["fitted, 2 epochs of 120 rows", f"{size:,}", "validation rows", f"of epoch {kept.epoch}"]
    expected.append(f"{kept.valid['click']['auc']:.4f}")
    assert [said for said in expected if said not in page] == []


def test_a_page_shows_the_metrics_of_an_artefact_and_passes_over_what_else_stands_there(ranker, tmp_path):
    ranker.save(tmp_path / "a")
    loaded = gw.load(tmp_path / "a")
    loaded.metrics = {"test": loaded.evaluate(table(2)), "note": "mine", "list": [1], "by": {"a": {"b": "c"}}}
    page = loaded._repr_html_()
    assert f"{loaded.metrics['test']['stars']['rmse']:.4f}" in page
    assert "mine" not in page


def test_a_summary_counts_every_parameter_once(ranker):
    text = ranker.summary()
    assert text.startswith("MMoE, fitted, 2 epochs of 120 rows\n")
    blocks = [block.splitlines() for block in text.split("\n\n")]
    counted = {block[0].split()[0]: [line.split() for line in block[1:]] for block in blocks}
    parts = {name: int(count.replace(",", "")) for name, count in counted["part"]}
    total = sum(parameter.numel() for parameter in ranker.model.parameters())
    assert parts.pop("all") == total
    assert sum(parts.values()) == total
    assert sum(int(line[-1].replace(",", "")) for line in counted["layer"]) == total
    assert any("2x4x" in cell for line in counted["layer"] for cell in line)


def test_a_summary_before_fit_says_what_there_is_and_the_module_is_made_by_fit():
    fresh = gw.Ranker(SCHEMA)
    assert "fit makes them" in fresh.summary()
    assert "rating" in fresh.summary()
    with pytest.raises(GatewiseError, match="not fitted"):
        _ = fresh.model


def test_results_print_as_tables_and_stay_plain_data(ranker):
    rows = table(1)
    metrics = ranker.evaluate(rows)
    assert metrics == ranker.scorer.evaluate(rows)
    assert ["auc", f"{metrics['click']['auc']:.4f}"] in [line.split() for line in str(metrics).splitlines()]
    usage, similarity = ranker.gate_usage(rows, by="age"), ranker.expert_similarity(rows)
    assert str(usage).startswith("experts: mean weights over 120 rows\ngate ")
    assert str(usage).count("entropy: 0 if") == 1
    assert str(usage[0]).count("\n") == 4
    assert f"{usage[0].weights[0, 1]:.3f}" in str(usage)
    assert "similarity (CKA) on 120 rows" in str(similarity)
    importance = ranker.feature_importance(rows, repeats=2)
    assert f"{importance['stars'][0].drop:+.4f}" in str(importance)
    problems = ranker.problems(rows)
    explained = ranker.explain(3, rows)
    assert f"{explained.scores[0].value:+.4f}" in str(explained)
    for found in (metrics, usage, usage[0], similarity, similarity[0], importance, problems, explained):
        assert found._repr_html_().endswith("</div>")
        assert "(" not in str(found)[:10]


def test_an_explanation_says_what_it_lacks(ranker):
    alone = ranker.explain({"user": 3, "age": 0.5, "genres": ["war"]})
    assert str(alone).splitlines()[-1] == alone.notes[0]
    assert "<b>" not in str(alone)
    assert "&lt;b&gt;" in ranker.explain(0, table(1))._repr_html_()


def test_problems_are_numbered_and_none_is_said_in_words():
    problem = Problem("dead expert", "experts", ("expert 1",), "expert 1 is dead", "fewer experts")
    printed = ["2 problems", "1. expert 1 is dead; try fewer experts", "2. expert 1 is dead; try fewer experts"]
    assert str(ShownList([problem, problem], problems_grids)).splitlines() == printed
    assert str(ShownList([], problems_grids)) == "no problem found"


def test_predictions_come_back_as_the_frame_that_was_given(ranker):
    columns = {name: values for name, values in table(1).items() if name in ("user", "age", "genres")}
    index = pd.MultiIndex.from_product([range(12), list("abcdefghij")], names=["day", "hour"])
    frame, expected = pd.DataFrame(columns, index=index), ranker.predict(columns)
    found = ranker.predict(frame, as_frame=True)
    assert found.index.equals(index)
    assert pa.Table.from_pandas(found, preserve_index=False).equals(expected)
    assert frame.join(found).columns.tolist() == ["user", "age", "genres", "click", "stars"]
    polars = ranker.predict(pl.DataFrame(columns), as_frame=True)
    assert isinstance(polars, pl.DataFrame)
    assert polars.to_arrow().equals(expected)
    assert ranker.predict(columns, as_frame=True).index.tolist() == list(range(ROWS))
    assert isinstance(ranker.predict(frame), pa.Table)


def test_without_pandas_one_line_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(GatewiseError, match="as_frame: needs pandas, which is not installed"):
        frame_like(pa.table({"a": [1]}), {})


LABELS = {"click": [0, 1] * 60, "rating": [0.5, 1.0] * 60}


@pytest.mark.parametrize(
    "labels",
    [
        LABELS["click"],
        np.array(LABELS["click"]),
        np.zeros((ROWS, 2)),
        pd.Series(LABELS["click"], name="click"),
        pl.Series("click", LABELS["click"]),
        pa.array(LABELS["click"]),
        pd.DataFrame(LABELS),
        pl.DataFrame(LABELS),
        pa.table(LABELS),
        LABELS,
    ],
    ids=lambda labels: f"{type(labels).__module__}.{type(labels).__name__}",
)
def test_labels_apart_from_the_table_are_told_where_they_belong(labels):
    columns = {name: values for name, values in table(0).items() if name != "rating"}
    columns.pop("click")
    with pytest.raises(TableError, match=r"^fit: labels are columns of the training table, add 'click', 'rating'"):
        gw.Ranker(SCHEMA).fit(pd.DataFrame(columns), labels)


def test_labels_that_the_table_has_already():
    ranker = gw.Ranker(SCHEMA, "shared_bottom", epochs=1)
    with pytest.raises(TableError, match="and are there already: leave the second argument out"):
        ranker.fit(table(0), LABELS)
    frame = pd.DataFrame(table(0))
    assert len(ranker.fit(frame, frame["click"]).history) == 1


def test_judging_and_experts_print_as_tables_and_stay_lists_and_dicts(ranker):
    rows = table(1)
    intervals = ranker.intervals(rows, ["auc", "rmse"], samples=20)
    lines = str(intervals).splitlines()
    assert lines[0].split() == ["prediction", "metric", "value", "low", "high"]
    found = intervals["click"]["auc"]
    assert lines[1].split() == ["click", "auc", *(f"{each:.4f}" for each in (found.value, found.low, found.high))]
    assert lines[-1] == "low, high: bootstrap intervals of 95%, 20 resamples"

    slices = ranker.slices(rows, ["user", "age"], ["auc", "log_loss"], bins=2)
    text = str(slices)
    first = slices["click"][0]
    assert f"{first.column}" in text
    assert f"{first.metrics['log_loss']:.4f}" in text
    # a column's name stands once for all of its slices
    assert text.count("age  ") == 1

    bins = ranker.reliability(rows, bins=4, by="user", limit=2)
    assert "click, user" in str(bins)
    assert f"{bins['click'][0].share:.4f}" in str(bins)

    routing = ranker.gradient_routing(rows)
    assert f"{routing[0].gradients[0, 1]:.3f}" in str(routing)
    ablation = ranker.expert_ablation(rows)
    assert f"{ablation[0].change[1, 0]:+.4f}" in str(ablation)
    assert "(all experts)" in str(ablation)

    for shown, kind in [(intervals, dict), (slices, dict), (bins, dict), (routing, list), (ablation, list)]:
        assert isinstance(shown, kind)
        assert "<table>" in shown._repr_html_()
    assert str(ranker.intervals(rows, ["rmse"], samples=5)).count("click") == 0
