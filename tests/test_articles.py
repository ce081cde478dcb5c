"""Every line of the page about the articles runs."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from matplotlib import pyplot
from typer.testing import CliRunner

from gatewise.cli.app import app

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = (DOCS / "articles.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.+) \| `(.+)` \|$", PAGE, re.MULTILINE)


@pytest.fixture(scope="module")
def setup() -> dict[str, object]:
    """What the first block of the page defines."""
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, object] = {"__name__": "articles"}
    exec(compile(block, "articles.md", "exec"), names)
    return names


def test_the_page_has_a_line_for_everything() -> None:
    tables = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert len(ROWS) == len(tables) - 2 * 5
    assert len(ROWS) >= 87


@pytest.mark.filterwarnings("ignore::gatewise.errors.GatewiseWarning")
@pytest.mark.parametrize("line", [line for _, line in ROWS], ids=range(len(ROWS)))
def test_line(line: str, setup: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if line.startswith("gatewise "):
        _, *words = shlex.split(line)
        assert CliRunner().invoke(app, [*words, "--help"]).exit_code == 0
        return
    exec(compile(line, "articles.md", "exec"), dict(setup))
    pyplot.close("all")


def test_links_lead_to_headings_that_are_there() -> None:
    for page, heading in re.findall(r"\]\(([^)#]+)#?([^)]*)\)", PAGE):
        text = (DOCS / page).read_text(encoding="utf-8")
        headings = {
            re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-")
            for line in text.splitlines()
            if line.startswith("#")
        }
        assert not heading or heading in headings, (page, heading)
