"""The examples of the migration pages run, before and after."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from gatewise.convert import Spec
from gatewise.declare import from_dict

PAGES = Path(__file__).resolve().parent.parent / "docs" / "moving"


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
