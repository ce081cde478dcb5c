"""``gatewise report``, and the reports that train and compare write of their own accord."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

RECIPE = {
    "data": {"train": "train.parquet", "valid": "valid.parquet", "test": "test.parquet"},
    "features": [{"kind": "categorical", "name": "user", "dim": 2}, {"kind": "numeric", "name": "price"}],
    "tasks": [{"kind": "binary", "name": "click"}, {"kind": "regression", "name": "stars"}],
    "model": {"kind": "mmoe", "experts": 2, "expert_dims": [4]},
    "training": {"epochs": 1, "batch_size": 256},
    "output": "run",
}


def gatewise(*arguments: object, cwd: Path, before: str = "pass") -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, after some other code."""
    code = f"import sys; {before}; from gatewise.cli import main; main()"
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, env=os.environ)


@pytest.fixture(scope="module")
def folder(feed: pa.Table, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("reports")
    for name, start in (("train", 0), ("valid", 1000), ("test", 1500)):
        pq.write_table(feed.slice(start, 1000 if name == "train" else 500), place / f"{name}.parquet")
    (place / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    done = gatewise("train", "recipe.yaml", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "report:   run/report.html" in done.stdout
    return place


def test_training_writes_a_report_on_the_test_rows(folder):
    html = (folder / "run" / "report.html").read_text()
    assert "<h1>run</h1>" in html
    assert "the 500 rows of test.parquet" in html


def test_a_report_is_written_where_one_wants_it(folder):
    done = gatewise("report", "run", "test.parquet", "--by", "price", "-o", "out/other.html", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("out/other.html: ")
    assert "Rows cut by price." in (folder / "out" / "other.html").read_text()


def test_without_a_table_it_says_what_the_artefact_holds(folder):
    done = gatewise("report", "run/artefact", cwd=folder)
    assert done.returncode == 0, done.stderr
    html = (folder / "report.html").read_text()
    assert "gatewise report run TABLE" in html
    assert "test rows" in html


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nowhere"], "there is no artefact 'nowhere'"),
        (["run", "nowhere.parquet"], "nowhere.parquet"),
        (["run", "test.parquet", "--by", "pricee"], "no column 'pricee'; did you mean 'price'?"),
        (["run", "-o", "recipe.yaml/report.html"], "cannot write 'recipe.yaml/report.html'"),
    ],
)
def test_what_cannot_be_is_one_line(folder, arguments, expected):
    done = gatewise("report", *arguments, cwd=folder)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert expected in line


def test_without_the_extra_training_says_how_to_get_it(folder):
    arguments = ["train", "recipe.yaml", "-o", "bare"]
    done = gatewise(*arguments, cwd=folder, before="sys.modules['matplotlib'] = None")
    assert done.returncode == 0, done.stderr
    assert "no report: a report needs an optional package: pip install 'gatewise[report]'" in done.stdout
    assert (folder / "bare" / "artefact" / "manifest.json").exists()
    assert not (folder / "bare" / "report.html").exists()
    done = gatewise("report", "bare", cwd=folder, before="sys.modules['jinja2'] = None")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "pip install 'gatewise[report]'" in done.stderr


def test_a_report_that_fails_is_no_training_that_fails(folder):
    (folder / "blocked" / "report.html").mkdir(parents=True)
    done = gatewise("train", "recipe.yaml", "-o", "blocked", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "no report: cannot write" in done.stdout
    breaking = "import gatewise.ranker as r; r.page_of = lambda _: 1 / 0"
    done = gatewise("train", "recipe.yaml", "-o", "broken", cwd=folder, before=breaking)
    assert done.returncode == 0, done.stderr
    assert "no report: internal: ZeroDivisionError" in done.stdout


def test_nobody_has_to_have_one(folder):
    done = gatewise("train", "recipe.yaml", "-o", "plain", "--no-report", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "report" not in done.stdout
    assert not (folder / "plain" / "report.html").exists()


def test_comparing_writes_its_own_report(folder):
    done = gatewise("compare", "recipe.yaml", "-o", "versus", "--seeds", 1, "--workers", 1, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "report:   versus/comparison.html" in done.stdout
    html = (folder / "versus" / "comparison.html").read_text()
    assert all(f'<section id="{name}">' in html for name in ("verdicts", "seesaw", "metrics", "affinity", "cost"))
    done = gatewise("report", "versus", "-o", "again.html", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "again.html").read_text() == html
    (folder / "versus" / "comparison.json").write_text('{"verdicts": 1}')
    done = gatewise("report", "versus", cwd=folder)
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].endswith("is no comparison: seeds is missing")
