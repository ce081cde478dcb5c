"""The examples of the migration pages run, before and after, and both languages say the same."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from gatewise.cli.app import app
from gatewise.convert import Spec
from gatewise.declare import from_dict

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "moving"
ENGLISH = sorted(path.name for path in PAGES.glob("*.md") if not path.name.endswith(".zh-CN.md"))
CHINESE = "zh-CN.md"
CODE = re.compile(r"^```.*?^```|^    \S.*?$", re.DOTALL | re.MULTILINE)
"""Fenced blocks, and lines of commands."""


def read(page: str) -> str:
    return (PAGES / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", read(page), re.DOTALL | re.MULTILINE)


def in_chinese(page: str) -> str:
    return page.replace(".md", f".{CHINESE}")


@pytest.mark.filterwarnings("ignore")  # those of the libraries
@pytest.mark.parametrize(
    ("page", "count"), [("torch-rechub.md", 4), ("deepctr-torch.md", 4), ("easyrec.md", 2), ("libmtl.md", 2)]
)
def test_examples_run_one_after_the_other(
    page: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = blocks(page, "python")
    assert len(found) == count
    monkeypatch.chdir(tmp_path)
    if page == "easyrec.md":
        Path("recipe.yaml").write_text(blocks(page, "yaml")[0], encoding="utf-8")
    names: dict[str, object] = {}
    for block in found:
        exec(block, names)
    assert capsys.readouterr().out.endswith("True\n")
    assert (tmp_path / "artefact" / "manifest.json").is_file() or (tmp_path / "best.pt").is_file()
    if page == "easyrec.md":
        # the page's command
        result = CliRunner().invoke(app, ["train", "recipe.yaml", "--set", "training.lr=0.002"])
        assert result.exit_code == 0, result.output
        assert (tmp_path / "experiments" / "shop" / "artefact").is_dir()


@pytest.mark.parametrize("page", ENGLISH)
def test_both_languages_have_the_same_code_headings_and_rows(page: str) -> None:
    english, chinese = read(page), read(in_chinese(page))
    assert CODE.findall(chinese) == CODE.findall(english)
    for lines in (r"^(#+) ", r"^(\|)", r"^(- )", r"^(\d\.) "):
        assert re.findall(lines, chinese, re.MULTILINE) == re.findall(lines, english, re.MULTILINE), lines
    # names of options, features and metrics stay as they are
    tables = ["".join(line for line in text.splitlines() if line.startswith("|")) for text in (english, chinese)]
    said = [re.findall(r"`([^`]+)`", table) for table in tables]
    assert sorted(said[1]) == sorted(said[0])
    assert f"]({in_chinese(page)})" in english.split("\n\n", 2)[1]
    assert f"]({page})" in chinese.split("\n\n", 2)[1]


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_readmes_name_every_page(readme: str) -> None:
    text = (ROOT / readme).read_text(encoding="utf-8")
    for page in ENGLISH:
        assert f"docs/moving/{page if readme == 'README.md' else in_chinese(page)}" in text


@pytest.mark.parametrize("page", sorted(path.name for path in PAGES.glob("*.md")))
def test_links_lead_somewhere(page: str) -> None:
    prose = CODE.sub("", read(page))
    for link, part in re.findall(r"\]\(([^)#]*?)(?:#([^)]*))?\)", prose):
        assert link.startswith("http") or (PAGES / (link or page)).resolve().exists(), link
        if not link:
            assert part in [anchor(heading) for heading in re.findall(r"^#+ (.*)$", prose, re.MULTILINE)], part


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", ["torch-rechub.md", "deepctr-torch.md"])
def test_specifications_are_valid(page: str) -> None:
    (text,) = blocks(page, "yaml")
    assert from_dict(Spec, yaml.safe_load(text)).features[2].shares == "item"


@pytest.fixture(scope="module")
def results() -> Any:
    return import_module("moving_results")


@pytest.mark.parametrize("library", ["torch-rechub", "deepctr-torch"])
def test_the_tables_of_a_few_rows(results: Any, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ROWS": 1_000, "SEEDS": (0,), "EPOCHS": 1}.items():
        monkeypatch.setattr(results, name, value)
    run = {"torch-rechub": results.rechub, "deepctr-torch": results.deepctr}[library]
    lines = results.compared(run, library, ("MMOE", "ESMM"), ["census"])
    assert [line.split(" | ")[1] for line in lines] == ["MMOE", "ESMM"]
    for words, said in ((results.ENGLISH, "2 of 2"), (results.CHINESE, "2 / 2")):
        assert said in results.section(words, library, ["| a | b | 0.6 | 0.5 | -0.1000 |"] * 2)
