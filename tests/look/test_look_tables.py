"""A table of any source, whole or as a sample."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from gatewise.declare import Recipe, from_dict, read_yaml
from gatewise.errors import TableError
from gatewise.look import profile, propose, recipe_text, sample, take_sample


def test_every_source_has_one_proposal(log, tmp_path):
    flat = log.drop_columns(["embedding", "nothing"])
    pq.write_table(flat, tmp_path / "log.parquet")
    pacsv.write_csv(flat, tmp_path / "log.csv")
    expected = propose(profile(flat)).schema()
    for source in (
        tmp_path / "log.parquet",
        tmp_path / "log.csv",
        flat.to_pandas(),
        pl.from_arrow(flat),
        flat.to_pydict(),
    ):
        assert propose(profile(source)).schema() == expected


def test_a_large_file_is_sampled_evenly_and_counted(tmp_path, monkeypatch):
    rows = 20_000
    pq.write_table(pa.table({"place": np.arange(rows), "id": np.arange(rows) % 5000}), tmp_path / "t.parquet")
    monkeypatch.setattr(sample, "WHOLE_BYTES", 1)
    found = take_sample(tmp_path / "t.parquet", rows=2000)
    place = found.table["place"].to_numpy()
    assert (found.rows, found.table.num_rows, found.is_whole) == (rows, 2000, False)
    assert (np.diff(place) > 0).all()
    assert place.mean() == pytest.approx(rows / 2, rel=0.05)
    whole = take_sample(pq.read_table(tmp_path / "t.parquet"), rows=2000)
    assert (whole.rows, whole.table.num_rows) == (rows, 2000)


def test_distinct_values_of_the_whole_are_estimated():
    rng = np.random.default_rng(0)
    table = {
        "unique": np.arange(20_000),
        "few": np.arange(20_000) % 7,
        "x": rng.random(20_000),
        "y": rng.integers(0, 2, 20_000),
    }
    found = profile(table, ["y"], rows=2000)
    assert (found.rows, found.sampled) == (20_000, 2000)
    assert found.by_name["unique"].values == 20_000
    assert found.by_name["few"].values == 7
    assert found.by_name["few"].rows_per_value == pytest.approx(20_000 / 7)


def test_columns_that_nobody_can_read_are_named_and_left_out():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.normal(size=100), "mixed": [1, "a"] * 50, "click": rng.integers(0, 2, 100)})
    table = pa.table({"pair": [{"a": 1}] * 100, "x": rng.normal(size=100), "click": rng.integers(0, 2, 100)})
    for source, name in ((frame, "mixed"), (table, "pair")):
        [left] = propose(profile(source, ["click"])).left_out
        assert left.column == name
        assert left.reason


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_few_rows_are_looked_at_without_harm(rows):
    found = profile({"a": list(range(rows)), "b": ["x"] * rows, "c": [None] * rows, "y": [0, 1, 0, 1, 0][:rows]})
    assert len(found.columns) == 4


def test_no_rows_are_one_line():
    with pytest.raises(TableError, match="table: has no rows to look at"):
        profile({"a": []})


def test_numbers_that_are_not_finite_do_no_harm():
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    x[:3] = np.inf, -np.inf, np.nan
    found = profile({"x": x, "z": rng.normal(size=200), "y": rng.integers(0, 2, 200)}, ["y"])
    assert found.by_name["x"].nulls == 1
    assert np.isfinite(found.by_name["x"].quantiles).all()


def test_labels_are_counted_by_day_and_new_values_at_the_end(log):
    found = profile(log, ["click"])
    assert len(found.periods) == 11
    assert sum(period.rows for period in found.periods) == log.num_rows
    assert found.periods[0].begins == "2023-11-14"
    assert found.unseen["request_id"] == 1.0
    assert found.unseen["user_id"] == 0.0


STRANGE = ["a: b", "- x", "yes", "1e3", "{q}", "né", "日本", "a\nb", "#", "'", "null", "2024-01-01", " "]


def test_a_recipe_of_strange_names_reads_back():
    rng = np.random.default_rng(0)
    table = {name: rng.normal(size=100) for name in STRANGE} | {"click": rng.integers(0, 2, 100)}
    proposal = propose(profile(table, ["click"]))
    text = recipe_text(proposal, "folder: x/t.parquet", "runs/x")
    recipe = from_dict(Recipe, read_yaml(text, "recipe"))
    assert recipe.schema() == proposal.schema()
    assert [feature.name for feature in recipe.features] == STRANGE
    assert recipe.data.table == "folder: x/t.parquet"


def test_every_choice_has_its_reason_beside_it(log):
    lines = recipe_text(propose(profile(log)), "log.parquet", "runs/log").splitlines()
    chosen = [line for line in lines if line.startswith("  - {")]
    assert len(chosen) == 9
    assert all("  # " in line for line in chosen)
    assert any(line.startswith("  #   version: is constant") for line in lines)
