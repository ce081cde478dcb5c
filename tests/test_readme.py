"""The Python of the READMEs runs, and prints what its comments say."""

from __future__ import annotations

import ast
import contextlib
import io
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import seesaw_chart

ROOT = Path(__file__).resolve().parent.parent
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
PRINTED = re.compile(r"print\(.*\)  # (.*)")


def write_tables() -> None:
    """Write the tables of one's own that the first block reads, into the working folder."""
    rng, rows = np.random.default_rng(0), 2000
    user, item = rng.integers(0, 60, rows), rng.integers(0, 40, rows)
    liking = rng.normal(size=60)[user] + rng.normal(size=40)[item]
    click = (liking + rng.logistic(size=rows) > 0) * 1
    log = pa.table(
        {
            "user_id": user,
            "item_id": item,
            "country": np.array(["DE", "FR", "IT"])[user % 3],
            "price": rng.lognormal(3, 1.5, rows).round(2),
            "click": click,
            "purchase": click * (liking + rng.logistic(size=rows) > 1),
        }
    )
    pq.write_table(log.slice(0, 1600), "log.parquet")
    pq.write_table(log.slice(1600), "tomorrow.parquet")
    pq.write_table(log.slice(1600, 100).drop_columns(["click", "purchase"]), "candidates.parquet")


def test_python_blocks_run_and_print_what_they_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Those of the English page, which the Chinese page has word for word."""
    page = "README.md"
    blocks = PYTHON.findall((ROOT / page).read_text(encoding="utf-8"))
    assert len(blocks) >= 3
    monkeypatch.chdir(tmp_path)
    write_tables()
    names: dict[str, object] = {"__name__": "readme"}
    for block in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block, f"<{page}>", "exec"), names)
        assert printed.getvalue().splitlines() == PRINTED.findall(block)
    for saved in ("model", "models/movielens"):
        assert (tmp_path / saved / "manifest.json").exists()


@pytest.mark.parametrize(
    "page", ["README.md", "README.zh-CN.md", "docs/architecture.md", "docs/datasets.md", "CONTRIBUTING.md"]
)
def test_links_lead_to_files_that_are_there(page: str):
    path = ROOT / page
    targets = re.findall(r"\]\((?!http)([^)#]+)\)", path.read_text(encoding="utf-8"))
    assert targets
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_chinese_page_has_what_the_english_one_has():
    english, chinese = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))

    def code(text: str) -> list[str]:
        # comments are in the page's language
        return [ast.dump(ast.parse(block)) for block in PYTHON.findall(text)]

    def commands(text: str) -> list[str]:
        found = re.findall(r"^    ((?:gatewise|make|pip) .*?)(?:\s+#.*)?$", text, re.MULTILINE)
        return [command.replace("列名", "COLUMN").strip() for command in found]

    def links(text: str) -> set[str]:
        found = re.findall(r"\]\(([^)]+)\)", text)
        return {target.replace(".zh-CN.", ".") for target in found} - {"README.md"}

    assert code(chinese) == code(english)
    assert commands(chinese) == commands(english)
    assert links(english) - links(chinese) == set()
    for mark in ("| ", "## ", "- ", "<!-- output"):
        assert len(re.findall(f"^{re.escape(mark)}", chinese, re.MULTILINE)) == len(
            re.findall(f"^{re.escape(mark)}", english, re.MULTILINE)
        )


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_figures_are_those_of_the_pages_that_measure_them(page: str):
    text = (ROOT / page).read_text(encoding="utf-8")
    for library in ("torch-rechub", "deepctr-torch"):
        measured = (ROOT / "docs" / "moving" / f"{library}.md").read_text(encoding="utf-8")
        found = re.search(r"Differences: mean (\S+), smallest (\S+);", measured)
        assert found
        assert all(number in text for number in found.groups())
    language = page.removeprefix("README").removesuffix(".md")
    assert f"begin -->\n{seesaw_chart.table(seesaw_chart.kept(), language)}<!--" in text
