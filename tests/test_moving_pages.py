"""The examples of the migration pages run, before and after."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from gatewise.convert import Spec
from gatewise.declare import from_dict

PAGES = Path(__file__).resolve().parent.parent / "docs" / "moving"
SCRIPTS = str(Path(__file__).resolve().parent.parent / "scripts")


@pytest.mark.filterwarnings("ignore")  # those of the libraries
@pytest.mark.parametrize("page", ["torch-rechub.md", "deepctr-torch.md"])
def test_examples_run_one_after_the_other(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (PAGES / page).read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 4
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    assert capsys.readouterr().out.endswith("True\n")
    assert (tmp_path / "artefact" / "manifest.json").is_file()


@pytest.mark.parametrize("page", sorted(path.name for path in PAGES.glob("*.md")))
def test_links_lead_somewhere(page: str) -> None:
    for link in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", (PAGES / page).read_text(encoding="utf-8")):
        assert link.startswith("http") or (PAGES / link).resolve().exists(), link


@pytest.mark.parametrize("page", ["torch-rechub.md", "deepctr-torch.md"])
def test_specifications_are_valid(page: str) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", (PAGES / page).read_text(encoding="utf-8"), re.DOTALL)
    assert from_dict(Spec, yaml.safe_load(text)).features[2].shares == "item"


@pytest.fixture(scope="module")
def results() -> Iterator[Any]:
    sys.path.insert(0, SCRIPTS)
    yield import_module("moving_results")
    sys.path.remove(SCRIPTS)


@pytest.mark.parametrize("library", ["torch-rechub", "deepctr-torch"])
def test_the_tables_of_a_few_rows(results: Any, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ROWS": 1_000, "SEEDS": (0,), "EPOCHS": 1}.items():
        monkeypatch.setattr(results, name, value)
    run = {"torch-rechub": results.rechub, "deepctr-torch": results.deepctr}[library]
    lines = results.compared(run, library, ("MMOE", "ESMM"), ["census"])
    assert [line.split(" | ")[1] for line in lines] == ["MMOE", "ESMM"]
    assert "2 of 2" in results.section(library, ["| a | b | 0.6 | 0.5 | -0.1000 |"] * 2)
