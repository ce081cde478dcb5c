"""Runs beside each other: begun anew by request alone, listed, compared."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

import gatewise as gw
from gatewise.cli import main
from gatewise.files import held
from gatewise.jobs import RunRecord, promote, record_run

RECIPE = {
    "data": {"table": "feed.parquet", "split": {"time": "when", "valid": 0.2, "test": 0.2}},
    "features": [
        {"kind": "categorical", "name": "user", "dim": 4},
        {"kind": "numeric", "name": "price", "transform": "log"},
    ],
    "tasks": [{"kind": "binary", "name": "click"}, {"kind": "regression", "name": "stars"}],
    "model": {"kind": "mmoe", "experts": 2, "expert_dims": [4], "tower_dims": [4]},
    "training": {"epochs": 1, "batch_size": 256, "lr": 0.02},
    "output": "runs/feed",
}
QUICK = ["--baseline", "none", "--no-report"]


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function that runs a command and gives exit status, output and errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["gatewise", "--quiet", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        said = capsys.readouterr()
        return stopped.value.code or 0, said.out, said.err

    return run


@pytest.fixture
def place(feed, tmp_path, monkeypatch) -> Path:
    pq.write_table(feed, tmp_path / "feed.parquet")
    (tmp_path / "recipe.yaml").write_text("# as I wrote it\n" + yaml.safe_dump(RECIPE))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_runs_stand_beside_each_other_and_say_what_they_are(place, run, feed):
    assert run("train", "recipe.yaml", "--new", *QUICK)[0] == 0
    assert run("train", "recipe.yaml", "--new", *QUICK, "--set", "training.lr=0.05")[0] == 0
    first, second = sorted((place / "runs" / "feed").iterdir(), key=lambda path: (len(path.name), path.name))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d(-2)?", each.name) for each in (first, second))
    _is_kept_as_written(place, second)
    _is_not_begun_anew_by_accident(run, first)

    updated = gw.load(first / "artefact").update(feed.slice(0, 500), progress=False)
    updated.metrics = {}
    updated.save(place / "runs" / "day-2" / "artefact")
    record_run(updated, place / "runs" / "day-2")
    _are_listed(place, run, first, second)
    _are_compared(run, first, second, place / "runs" / "day-2" / "artefact")
    _is_marked_in_place(run, place / "runs", second)


def _is_marked_in_place(run, runs: Path, second: Path) -> None:
    promote(runs / "day-2", runs)
    promote(second, runs, table="feed.parquet", worst=1e9)
    listed = json.loads(run("runs", "--json")[1])
    assert [each["name"] for each in listed if each["in_place"]] == [second.relative_to(runs).as_posix()]
    assert run("runs")[1].count("in place") == 1
    gw.load(second / "artefact").update(pq.read_table("feed.parquet"), progress=False).save(second / "artefact")
    said = run("runs")[1]
    assert "is not the artefact any more that was promoted" in said
    assert "in place" not in said


def _is_kept_as_written(place: Path, second: Path) -> None:
    record = RunRecord.read(second)
    assert record.provenance == gw.load(second / "artefact").provenance
    assert record.provenance.recipe.text == (place / "recipe.yaml").read_text()
    assert (record.provenance.recipe.name, record.provenance.recipe.overrides) == ("recipe.yaml", ("training.lr=0.05",))
    data = record.provenance.data
    assert [*data] == ["training", "validation", "test"]
    assert sum(seen.rows for seen in data.values()) == 2000
    times = pq.read_table(place / "feed.parquet")["when"].to_pylist()
    assert (data["training"].begin, data["test"].end) == (str(min(times)), str(max(times)))
    assert data["training"].time == "when"
    metrics = json.loads((second / "metrics.json").read_text())["test"]
    assert (record.judged_on, record.main["click"].value) == ("test", metrics["click"]["auc"])


def _is_not_begun_anew_by_accident(run, first: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in first.rglob("*")}
    code, _, err = run("train", "recipe.yaml", "-o", first, *QUICK)
    assert (code, "holds a finished training of 1 epochs" in err, "--new" in err) == (1, True, True)
    aside = first / "checkpoint.pt"
    aside.rename(aside.with_suffix(".aside"))
    code, _, err = run("train", "recipe.yaml", "-o", first, *QUICK)
    assert (code, "holds an artefact: overwrite it" in err) == (1, True)
    aside.with_suffix(".aside").rename(aside)
    assert {path: path.stat().st_mtime_ns for path in first.rglob("*") if path != first} == {
        path: time for path, time in before.items() if path != first
    }


def _are_listed(place: Path, run, first: Path, second: Path) -> None:
    # one that was killed, one under way, one that is damaged
    killed, damaged = (shutil.copytree(first, place / "runs" / name) for name in ("killed", "damaged"))
    RunRecord("begun", "2026-01-02T03:04:05+00:00", recipe="recipe.yaml").write(killed)
    (damaged / "run.json").write_text('{"state": "gone"}')
    with held(killed):
        found = {each["name"]: each for each in json.loads(run("runs", "--json")[1])}
        assert found["killed"]["state"] == "running"
    code, out, _ = run("runs")
    listed = json.loads(run("runs", "--json")[1])
    found = {each["name"]: each for each in listed}
    assert code == 0
    assert {name: each["state"] for name, each in found.items()} == {
        "day-2": "finished",
        f"feed/{first.name}": "finished",
        f"feed/{second.name}": "finished",
        "killed": "interrupted",
        "damaged": "damaged",
    }
    assert listed == sorted(listed, key=lambda each: (each["when"] or "", each["name"]), reverse=True)
    assert found["day-2"]["parent"] == f"feed/{first.name}"
    assert found["day-2"]["rows"] == {"training": 500}
    auc = found[f"feed/{first.name}"]["main"]["click"]["value"]
    for text in (f"click auc {auc:.4f}", "2026-01-02 03:04", "'damaged/run.json' is damaged: state: Input should be"):
        assert text in out.replace("runs/damaged", "damaged")
    assert [each["name"] for each in json.loads(run("runs", first, "--json")[1])] == [first.name]


def _are_compared(run, first: Path, second: Path, day: Path) -> None:
    code, out, _ = run("compare-runs", first, second, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["options"] == {"training.lr": {"first": 0.02, "second": 0.05}}
    assert (found["data"], found["versions"]) == ({}, {})
    (click,) = [each for each in found["metrics"] if each["output"] == "click"]
    assert click["better"] == (click["second"] > click["first"])
    out = run("compare-runs", first, second)[1]
    assert "training.lr" in out
    assert "rows: the same" in out
    assert f"{click['second'] - click['first']:+.4f}" in out
    found = json.loads(run("compare-runs", first, day, "--json")[1])
    assert found["data"]["training rows"] == {"first": 1200, "second": 500}
    assert found["judged_on"] == {"first": "test", "second": None}


def test_a_folder_without_runs(tmp_path, run):
    assert run("runs", tmp_path)[:2] == (0, f"no runs in {tmp_path}\n")
