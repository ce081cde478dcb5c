"""``gatewise init`` and ``gatewise look``: from a table to a trained model with a report, nothing written by hand."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from gatewise.cli import main
from gatewise.declare import Recipe

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def folder(feed: pa.Table, tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("init")
    (place / "data").mkdir()
    late = np.where(feed["click"].fill_null(0).to_numpy() == 1, 3.5, 0.0)
    table = feed.append_column("receipt", pa.array(late)).append_column("shop", pa.array(["one"] * feed.num_rows))
    pacsv.write_csv(table, place / "data" / "feed.csv")
    return place


@pytest.fixture
def run(folder, monkeypatch, capsys) -> Run:
    def gatewise(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["gatewise", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            main()
        return int(stopped.value.code or 0), *capsys.readouterr()

    return gatewise


def test_a_recipe_is_written_that_trains_as_it_is(run, folder):
    code, out, err = run("init", "data/feed.csv", "-o", "recipes/feed.yaml", "--task", "click", "--task", "stars")
    assert code == 0, err
    assert "'receipt' leaks and is left out" in out
    assert "constant columns are left out: 'shop'" in out
    assert "train:  gatewise train recipes/feed.yaml" in out
    recipe = Recipe.read(folder / "recipes" / "feed.yaml")
    assert recipe.data.table == "../data/feed.csv"
    assert recipe.data.split is not None
    assert recipe.data.split.time == "when"
    assert recipe.group == "user"
    assert [task.kind for task in recipe.tasks] == ["binary", "regression"]
    assert {feature.name: feature.kind for feature in recipe.features} == {
        "user": "categorical",
        "item": "categorical",
        "tags": "sequence",
        "price": "numeric",
    }
    code, out, err = run("train", "recipes/feed.yaml", "--set", "training.epochs=1")
    assert code == 0, err
    assert (folder / recipe.output / "report.html").exists()


def test_a_recipe_that_is_there_stays_unless_told(run, folder):
    (folder / "mine.yaml").write_text("mine")
    code, _, err = run("init", "data/feed.csv", "-o", "mine.yaml")
    assert (code, err) == (1, "error: 'mine.yaml' is there already: --overwrite replaces it, -o names another file\n")
    assert (folder / "mine.yaml").read_text() == "mine"
    code, _, err = run("init", "data/feed.csv", "-o", "mine.yaml", "--overwrite", "--yes")
    assert code == 0, err
    assert Recipe.read(folder / "mine.yaml").output == "runs/mine"


def test_wrong_names_are_one_line_and_nothing_is_written(run, folder):
    for arguments, said in (
        (("data/feed.cvs",), "did you mean 'feed.csv'?"),
        (("data/feed.csv", "--task", "clik"), "did you mean 'click'?"),
        (("data/feed.csv", "--task", "tags"), "no column can be a label: 'tags' holds lists"),
    ):
        code, _, err = run("init", *arguments, "-o", "none.yaml")
        assert code == 1
        assert said in err
        assert err.count("\n") == 1
    assert not (folder / "none.yaml").exists()


def test_look_prints_and_writes_a_page(run, folder):
    code, out, err = run("look", "data/feed.csv", "-o", "look.html")
    assert code == 0, err
    assert "note: column 'receipt' leaks and is left out: 'receipt' alone tells 'click'" in out
    assert "time:  when" in out
    page = (folder / "look.html").read_text()
    assert "<h1>feed.csv</h1>" in page
    for section in ("attention", "columns", "labels", "telling"):
        assert f'id="{section}"' in page
    for column in ("user", "item", "tags", "price", "click", "stars", "when", "receipt", "shop"):
        assert f">{column}</td>" in page
    code, _, err = run("look", "data/feed.csv", "--no-page", "-o", "other.html", "--task", "price")
    assert code == 0, err
    assert not (folder / "other.html").exists()


def test_look_shows_a_table_without_labels(run, folder):
    pacsv.write_csv(
        pa.table({"name": [f"n{row}" for row in range(100)], "when": ["2024-01-01"] * 100}), folder / "bare.csv"
    )
    code, out, err = run("look", "bare.csv", "-o", "bare.html")
    assert code == 0, err
    assert "no recipe can be proposed: name the labels with --task" in out
    assert "no recipe can be proposed" in (folder / "bare.html").read_text()


@pytest.mark.parametrize(
    ("answers", "tasks", "group"),
    [("\n\n\n", ["click", "stars"], "user"), ("clik\nclick\nnone\nnone\n", ["click"], None)],
)
def test_at_a_terminal_it_asks_for_labels_time_and_group(run, folder, monkeypatch, answers, tasks, group):
    said = iter(answers.split("\n"))
    monkeypatch.setattr("typer.prompt", lambda what, default: next(said) or default)
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    code, _, err = run("init", "data/feed.csv", "-o", "asked.yaml", "--overwrite")
    assert code == 0, err
    assert ("did you mean 'click'?" in err) == ("clik" in answers.split("\n"))
    recipe = Recipe.read(folder / "asked.yaml")
    assert [task.name for task in recipe.tasks] == tasks
    assert recipe.group == group


def test_the_shell_completes_commands_and_options(run, monkeypatch):
    monkeypatch.setenv("_GATEWISE_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "gatewise in")
    monkeypatch.setenv("COMP_CWORD", "1")
    code, out, _ = run()
    assert (code, out.split()) == (0, ["init"])
