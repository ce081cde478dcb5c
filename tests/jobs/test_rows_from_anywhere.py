"""Recipes, comparisons and commands over folders, buckets and queries; predictions written to folders and buckets."""

from __future__ import annotations

import json
import sys

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import gatewise as gw
from gatewise.cli import main
from gatewise.cli.named_table import named_table
from gatewise.data import read_table, source_of
from gatewise.declare import from_dict
from gatewise.errors import ArtefactError, DeclarationError, TableError
from gatewise.jobs.output import Output
from gatewise.jobs.predict import predict_file
from gatewise.jobs.tables import find_tables

DAYS = ("2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04")
REST = {
    "features": [{"kind": "categorical", "name": "user", "dim": 2}],
    "tasks": [{"kind": "binary", "name": "click"}],
    "model": {"kind": "mmoe", "experts": 2, "expert_dims": [4]},
    "training": {"epochs": 1, "batch_size": 50},
}


def rows_of(day: int) -> pa.Table:
    rng = np.random.default_rng(day)
    return pa.table({"user": rng.integers(0, 5, 60), "click": rng.integers(0, 2, 60)})


@pytest.fixture
def logs(tmp_path):
    """A partitioned folder beside a recipe; its paths are relative to the recipe."""
    for number, day in enumerate(DAYS):
        folder = tmp_path / "logs" / f"day={day}"
        folder.mkdir(parents=True)
        pq.write_table(rows_of(number), folder / "part.parquet")
    return tmp_path / "logs"


def recipe(data, **more):
    return from_dict(gw.Recipe, {"data": data, **REST, **more})


@pytest.fixture
def scorer():
    schema = recipe({"train": "x.csv"}).schema()
    ranker = gw.Ranker(schema, gw.MMoE(experts=2, expert_dims=[4]), epochs=1, batch_size=50)
    return ranker.fit(rows_of(0), progress=False).scorer


def test_a_split_by_a_folders_column_chooses_files_and_reads_none(logs):
    (logs / "day=2024-01-02" / "part.parquet").write_text("broken")
    (logs / "day=2024-01-02" / "part.parquet").rename(logs / "day=2024-01-02" / "_part.parquet")
    data = {"table": "logs", "split": {"time": "day", "valid_from": "2024-01-03", "test_from": "2024-01-04"}}
    tables = find_tables(recipe(data), logs.parent)
    for part, days in {"train": [0], "valid": [2], "test": [3]}.items():
        expected = pa.concat_tables([rows_of(day) for day in days])
        assert read_table(getattr(tables, part), ["user", "click"]).equals(expected)
    data["split"] = {"time": "day", "test_from": "2024-02-01"}
    with pytest.raises(TableError, match="column 'day': no folder from 2024-02-01 on; found 2024-01-01 to 2024-01-04"):
        find_tables(recipe(data), logs.parent)


def test_parts_are_in_the_order_of_time_not_of_names(tmp_path):
    for day in (9, 10, 2, 11):
        (tmp_path / "logs" / f"day={day}").mkdir(parents=True)
        pq.write_table(rows_of(day), tmp_path / "logs" / f"day={day}" / "part.parquet")
    tables = find_tables(recipe({"table": "logs", "split": {"time": "day", "test_from": 11}}), tmp_path)
    assert read_table(tables.train, ["day"])["day"].to_pylist() == [2] * 60 + [9] * 60 + [10] * 60
    assert tables.valid is None
    with pytest.raises(TableError, match="expected a bound that compares with int64, found 'x'"):
        find_tables(recipe({"table": "logs", "split": {"time": "day", "test_from": "x"}}), tmp_path)


def test_a_recipe_names_lists_and_queries(logs, tmp_path):
    with duckdb.connect(tmp_path / "a.duckdb") as connection:
        connection.register("given", rows_of(3))
        connection.execute("create table visits as select * from given")
    query = {"sql": "duckdb:///a.duckdb", "query": "select * from visits where click >= ?", "parameters": [0]}
    data = {"train": ["logs/day=2024-01-01", "logs/*2/part.parquet"], "valid": query, "test": "logs/day=2024-01-04"}
    declared = recipe(data)
    assert from_dict(gw.Recipe, gw.declare.to_dict(declared)) == declared
    tables = find_tables(declared, tmp_path)
    assert read_table(tables.train).num_rows == 120
    assert read_table(tables.valid).equals(read_table(tables.test, ["user", "click"]))
    source_of(tables.valid).close()


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            {"sql": "postgresql://me:geheim@h/db", "query": "select 1"},
            "Recipe.data.train.sql: 'postgresql://me@h/db' holds",
        ),
        ({"sql": "postgresql://h/db"}, "Recipe.data.train.query: is required"),
        ({"sql": "duckdb://", "qery": "x"}, "unknown option; did you mean 'query'?"),
        (["a.csv", 5], "Recipe.data.train[1]: input should be a valid string, found 5"),
        ("s3://key:geheim@bucket/x", "holds a password or a key"),
        (5, "Recipe.data.train: input should be a valid string, found 5"),
    ],
)
def test_what_a_recipe_may_not_name(rows, message):
    with pytest.raises(DeclarationError) as caught:
        recipe({"train": rows})
    assert message in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_what_a_command_may_not_name_is_told_without_the_password():
    with pytest.raises(DeclarationError, match=r"^table: 'postgresql://me@h/d' holds a password") as caught:
        named_table("postgresql://me:geheim@h/d")
    assert "geheim" not in str(caught.value)
    with pytest.raises(DeclarationError, match=r"^table\.query: is required"):
        named_table("{sql: duckdb://}")
    with pytest.raises(DeclarationError, match=r"^table: line 1, column 3 is not valid YAML"):
        named_table("[a")


def test_predictions_go_to_a_folder_whole_or_not_at_all(logs, tmp_path, scorer, monkeypatch):
    monkeypatch.setattr("gatewise.jobs.output.PART_ROWS", 100)
    monkeypatch.setattr("gatewise.jobs.predict.PIECE", 50)
    target = tmp_path / "scores"
    for _ in range(2):
        assert predict_file(scorer, logs, target, ["user", "day"]) == 240
    assert sorted(path.name for path in target.iterdir()) == [f"part-0000{number}.parquet" for number in range(3)]
    expected = scorer.predict(read_table(logs))
    np.testing.assert_allclose(read_table(target)["click"], expected["click"], atol=1e-6)
    assert read_table(target)["day"].to_pylist() == read_table(logs)["day"].to_pylist()
    before = read_table(target)
    pq.write_table(pa.table({"usr": [1]}), logs / "day=2024-01-04" / "z.parquet")
    with pytest.raises(TableError):
        predict_file(scorer, logs, target, [])
    assert read_table(target).equals(before)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs", "scores"]
    with pytest.raises(TableError, match="is the table that is read"):
        predict_file(scorer, target, target, [])
    with pytest.raises(ArtefactError, match="holds something else than predictions"):
        predict_file(scorer, target, logs, [])


def test_predictions_go_to_a_bucket(logs, scorer, s3, monkeypatch):
    monkeypatch.setattr("gatewise.jobs.output.PART_ROWS", 100)
    monkeypatch.setattr("gatewise.jobs.predict.PIECE", 50)
    expected = scorer.predict(read_table(logs))["click"].to_pylist()
    for name in ("one.parquet", "one.csv", "many"):
        assert predict_file(scorer, logs, f"s3://logs/scores/{name}", []) == 240
        np.testing.assert_allclose(read_table(f"s3://logs/scores/{name}")["click"], expected, atol=1e-6)
    with pytest.raises(ArtefactError, match="'s3://logs/scores/many' is not empty"):
        predict_file(scorer, logs, "s3://logs/scores/many", [])
    with pytest.raises(ArtefactError, match=r"cannot write 's3://nobucket/a.parquet': there is no bucket 'nobucket'"):
        predict_file(scorer, logs, "s3://nobucket/a.parquet", [])
    pq.write_table(pa.table({"usr": [1]}), logs / "day=2024-01-04" / "z.parquet")
    with pytest.raises(TableError):
        predict_file(scorer, logs, "s3://logs/scores/other.parquet", [])
    with pytest.raises(TableError, match="does not exist"):
        read_table("s3://logs/scores/other.parquet")


def test_an_output_is_a_file_or_a_folder():
    assert Output.of("a/b.parquet").suffix == ".parquet"
    assert Output.of("a/b").is_folder
    assert Output.of("a/b.parquet/").is_folder
    with pytest.raises(TableError, match=r"output 'a.txt': expected a file ending in .parquet or .csv, or a folder"):
        Output.of("a.txt")


def run(words, monkeypatch):
    """Run a command in this process; its log is its own."""
    monkeypatch.setattr(sys, "argv", ["gatewise", *words])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert not stopped.value.code


def test_commands_take_what_recipes_take(logs, tmp_path, monkeypatch, capsys, s3):
    monkeypatch.chdir(tmp_path)
    with s3.open_output_stream("logs/visits.parquet") as stream:
        pq.write_table(rows_of(3), stream)
    data = {"table": "logs", "split": {"time": "day", "valid_from": "2024-01-03", "test_from": "2024-01-04"}}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump({"data": data, **REST, "output": "run"}))
    run(["train", "recipe.yaml", "--baseline", "none", "--no-report"], monkeypatch)
    capsys.readouterr()
    found = []
    for name in (
        "s3://logs/visits.parquet",
        "logs/day=2024-01-04",
        "logs/*4/*",
        "[logs/day=2024-01-04]",
        '{sql: "duckdb://", query: "select * from read_parquet(\'logs/day=2024-01-04/*.parquet\')"}',
    ):
        run(["evaluate", "run", name, "--json"], monkeypatch)
        found.append(json.loads(capsys.readouterr().out))
    assert found[1:] == found[:1] * 4
    run(["predict", "run", "s3://logs/visits.parquet", "-o", "s3://logs/scores/"], monkeypatch)
    assert read_table("s3://logs/scores").num_rows == 60
    run(["init", "logs", "-o", "new.yaml", "--yes", "--task", "click"], monkeypatch)
    assert "table: logs" in (tmp_path / "new.yaml").read_text()


def test_a_comparison_takes_folders_and_queries(logs, tmp_path):
    declared = recipe({"train": "x.csv"})
    ranker = gw.Ranker(declared.schema(), gw.MMoE(experts=2, expert_dims=[4]), epochs=1, batch_size=50)
    files = f"select * from read_parquet('{logs}/day=2024-01-04/*.parquet')"
    test = gw.sql("duckdb://", files)
    found = gw.compare(ranker, str(logs), test=test, seeds=1, workers=1, run_dir=tmp_path / "run", progress=False)
    assert found.rows == 60
    test.close()
