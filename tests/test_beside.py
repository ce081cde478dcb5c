"""What the page about other libraries says of those that are installed can be seen in them."""

from __future__ import annotations

import re
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "beside.md").read_text(encoding="utf-8")
LIBRARIES = {"torch-rechub": "torch_rechub", "DeepCTR-Torch": "deepctr_torch"}
COLUMNS = ["Gatewise", "torch-rechub", "DeepCTR-Torch", "FuxiCTR", "TorchEasyRec", "LibMTL"]


def rows(text: str) -> list[list[str]]:
    """Return the cells of the first table, without its headings."""
    lines = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def section(library: str) -> str:
    return PAGE.split(f"\n## {library}\n")[1].split("\n## ")[0]


def overview(text: str) -> list[list[str]]:
    """Return the table of all libraries, without links."""
    table = text[text.index("| | Gatewise |") :].split("\n\n")[0]
    return [[re.sub(r"\[(.*?)\]\(.*?\)", r"\1", cell) for cell in row] for row in rows(table)[1:]]


@pytest.mark.parametrize("library", LIBRARIES)
def test_files_words_and_absences_are_those_of_the_installed_library(library: str) -> None:
    package = LIBRARIES[library]
    found = find_spec(package)
    if found is None or found.origin is None:
        pytest.skip(f"pip install {library}")
    folder = Path(found.origin).parent
    text = section(library)
    assert f"Version {metadata.version(package.replace('_', '-'))}," in text
    named = re.findall(rf"`({package}/[\w/]+\.py)`: `([^`]+)`", text)
    assert len(named) >= 8
    for path, word in named:
        assert word in (folder.parent / path).read_text(encoding="utf-8"), (path, word)
    code = "\n".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py")).lower()
    absent = [word for part in re.findall(r"no file contains ([^;|]+)", text) for word in re.findall(r"`(\w+)`", part)]
    assert len(absent) >= 8
    assert [word for word in absent if word.lower() in code] == []


@pytest.mark.parametrize("library", COLUMNS[1:])
def test_the_overview_says_what_the_libraries_tables_say(library: str) -> None:
    place = COLUMNS.index(library) + 1
    short = {row[0]: row[place].partition(":")[0] for row in overview(PAGE)}
    assert {row[0]: row[1] for row in rows(section(library))[1:]} == short


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md", "docs/beside.zh-CN.md"])
def test_the_other_tables_have_as_many_cells(page: str) -> None:
    found = overview((ROOT / page).read_text(encoding="utf-8"))
    assert [len(row) for row in found] == [len(row) for row in overview(PAGE)]
    if not page.endswith("zh-CN.md"):
        assert found == overview(PAGE)
