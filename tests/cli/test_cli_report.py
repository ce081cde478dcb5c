"""``gatewise report``, and the reports that train and compare write of their own accord."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from gatewise.cli import main

RECIPE = {
    "data": {"train": "train.parquet", "valid": "valid.parquet", "test": "test.parquet"},
    "features": [{"kind": "categorical", "name": "user", "dim": 2}, {"kind": "numeric", "name": "price"}],
    "tasks": [{"kind": "binary", "name": "click"}, {"kind": "regression", "name": "stars"}],
    "model": {"kind": "mmoe", "experts": 2, "expert_dims": [4]},
    "training": {"epochs": 1, "batch_size": 256},
    "output": "run",
}


class Done(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture(scope="module")
def folder(feed: pa.Table, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("reports")
    for name, start in (("train", 0), ("valid", 1000), ("test", 1500)):
        pq.write_table(feed.slice(start, 1000 if name == "train" else 500), place / f"{name}.parquet")
    (place / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    return place


@pytest.fixture
def run(folder, monkeypatch, capsys) -> Run:
    """Return a function that runs a command in the folder."""

    def gatewise(*arguments: object) -> Done:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["gatewise", *map(str, arguments)])
        try:
            main()
        except SystemExit as stopped:
            return Done(int(stopped.code or 0), *capsys.readouterr())
        raise AssertionError("a command ends with an exit")

    return gatewise


@pytest.fixture
def trained(run, folder) -> str:
    """Return the name of a run with its report, trained once."""
    if not (folder / "run").exists():
        done = run("train", "recipe.yaml")
        assert done.code == 0, done.err
        assert "report:   run/report.html" in done.out
    return "run"


def test_training_writes_a_report_on_the_test_rows(trained, folder):
    html = (folder / trained / "report.html").read_text()
    assert "<h1>run</h1>" in html
    assert "the 500 rows of test.parquet" in html


def test_a_report_is_written_where_one_wants_it(trained, run, folder):
    done = run("report", trained, "test.parquet", "--by", "rows of user", "-o", "out/other.html")
    assert done.code == 0, done.err
    assert done.err.startswith("out/other.html: ")
    assert "Rows cut by rows of user." in (folder / "out" / "other.html").read_text()


def test_without_a_table_it_says_what_the_artefact_holds(trained, run, folder):
    done = run("report", f"{trained}/artefact")
    assert done.code == 0, done.err
    html = (folder / "report.html").read_text()
    assert "gatewise report run TABLE" in html
    assert "test rows" in html
    assert "training rows" in html


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nowhere"], "there is no artefact 'nowhere'"),
        (["run", "nowhere.parquet"], "nowhere.parquet"),
        (["run", "test.parquet", "--by", "pricee"], "no column 'pricee'; did you mean 'price'?"),
        (["run", "-o", "recipe.yaml/report.html"], "cannot write 'recipe.yaml/report.html'"),
        (["odd"], "'odd/comparison.json' holds no comparison that this version wrote"),
    ],
)
def test_what_cannot_be_is_one_line(trained, run, folder, arguments, expected):
    (folder / "odd").mkdir(exist_ok=True)
    (folder / "odd" / "comparison.json").write_text('{"verdicts": []}')
    done = run("report", *arguments)
    assert done.code == 1
    (line,) = done.err.splitlines()
    assert line.startswith("error: ")
    assert expected in line


@pytest.mark.parametrize("missing", ["matplotlib", "jinja2"])
def test_without_the_extra_training_says_how_to_get_it(run, folder, monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    done = run("train", "recipe.yaml", "-o", missing)
    assert done.code == 0, done.err
    assert "no report: a report needs an optional package: pip install 'gatewise[report]'" in done.out
    assert (folder / missing / "artefact" / "manifest.json").exists()
    assert not (folder / missing / "report.html").exists()
    done = run("report", missing)
    assert done.code == 1
    (line,) = done.err.splitlines()
    assert "pip install 'gatewise[report]'" in line


def test_a_report_that_cannot_be_written_is_no_training_that_fails(run, folder):
    (folder / "blocked" / "report.html").mkdir(parents=True)
    done = run("train", "recipe.yaml", "-o", "blocked")
    assert done.code == 0, done.err
    assert "no report: cannot write" in done.out


def test_nor_is_a_mistake_in_it(run, monkeypatch):
    monkeypatch.setattr("gatewise.ranker.page_of", lambda _: 1 / 0)
    done = run("train", "recipe.yaml", "-o", "broken")
    assert done.code == 0, done.err
    assert "no report: internal: ZeroDivisionError" in done.out


def test_nobody_has_to_have_one(run, folder):
    done = run("train", "recipe.yaml", "-o", "plain", "--no-report")
    assert done.code == 0, done.err
    assert "report" not in done.out
    assert not (folder / "plain" / "report.html").exists()


def test_comparing_writes_its_own_report(run, folder):
    done = run("compare", "recipe.yaml", "-o", "versus", "--seeds", 1, "--workers", 1)
    assert done.code == 0, done.err
    assert "report:   versus/comparison.html" in done.out
    html = (folder / "versus" / "comparison.html").read_text()
    assert all(f'<section id="{name}">' in html for name in ("verdicts", "seesaw", "metrics", "affinity", "cost"))
    done = run("report", "versus", "-o", "again.html")
    assert done.code == 0, done.err
    assert (folder / "again.html").read_text() == html
