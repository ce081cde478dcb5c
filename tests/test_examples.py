"""Every example makes its table and trains its recipe, and its page's commands and links are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import gatewise as gw
from gatewise.cli.app import app

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
FOLDERS = sorted(path.parent for path in EXAMPLES.glob("*/recipe.yaml"))
ROWS = 3_000


def test_every_folder_stands_on_the_first_page() -> None:
    text = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [folder.name for folder in FOLDERS] == sorted(
        re.findall(r"^\| \[(\w+)\]\(\1/README.md\)", text, re.MULTILINE)
    )


@pytest.mark.filterwarnings("ignore::gatewise.errors.GatewiseWarning")
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_the_commands_of_the_page_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    text = (folder / "make_table.py").read_text(encoding="utf-8")
    program, changed = re.subn(r"^(ROWS.*? = )[\d_]+", rf"\g<1>{ROWS}", text, flags=re.MULTILINE)
    assert changed == 1
    exec(compile(program, "make_table.py", "exec"), {"__name__": "__main__"})
    (tmp_path / "recipe.yaml").write_text((folder / "recipe.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    commands = re.findall(r"^    gatewise (.*?)(?:\s{2,}#.*)?$", (folder / "README.md").read_text(), re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["train", "evaluate", "report"]
    for command in commands:
        words = command.split()
        quick = ["--set", "training.epochs=1", "--no-report", "--baseline", "none"] if words[0] == "train" else []
        app([*words, *quick], standalone_mode=False)
    assert gw.load(f"runs/{folder.name}/artefact").predict(f"{folder.name}.parquet").num_rows >= ROWS
    assert "metrics on the test rows" in capsys.readouterr().out


@pytest.mark.parametrize("page", sorted(EXAMPLES.rglob("*.md")), ids=lambda page: f"{page.parent.name}/{page.name}")
def test_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#]+)#?([^)]*)\)", page.read_text(encoding="utf-8")):
        found = (page.parent / target).resolve()
        assert found.exists(), target
        if anchor:
            text = found.read_text(encoding="utf-8")
            titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
            assert anchor in slugs, f"{target}#{anchor}"
