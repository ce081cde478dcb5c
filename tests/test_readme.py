"""The Python of the READMEs runs, and prints what its comments say."""

from __future__ import annotations

import ast
import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
PRINTED = re.compile(r"print\(.*\)  # (.*)")


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_python_blocks_run_and_print_what_they_say(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    blocks = PYTHON.findall((ROOT / page).read_text(encoding="utf-8"))
    assert len(blocks) >= 3
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "readme"}
    for block in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block, f"<{page}>", "exec"), names)
        assert printed.getvalue().splitlines() == PRINTED.findall(block)
    assert (tmp_path / "models" / "movielens" / "manifest.json").exists()


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
