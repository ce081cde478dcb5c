"""The page about beginning with a table: its Python runs, its commands print and write what stands there."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import sys
from pathlib import Path

import pytest

from gatewise.cli import main

PAGE = Path(__file__).resolve().parent.parent / "docs" / "start.md"
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
PRINTED = re.compile(r"^print\(.*\)  # (.*)$", re.MULTILINE)
OUTPUT = re.compile(r"<!-- output: gatewise (.+?) -->\n```console\n\$ .*?\n(.*?)\n```", re.DOTALL)
FILE = re.compile(r"<!-- file: (.+?) -->\n```yaml\n(.*?)```", re.DOTALL)


@pytest.mark.filterwarnings("ignore::gatewise.errors.GatewiseWarning")
def test_the_page_is_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    first, *others = PYTHON.findall(text)
    names: dict[str, object] = {"__name__": "page"}
    exec(compile(first, PAGE.name, "exec"), names)
    [(command, printed)] = OUTPUT.findall(text)
    assert run(command, monkeypatch, capsys) == printed.splitlines()
    [(name, written)] = FILE.findall(text)
    assert (tmp_path / name).read_text(encoding="utf-8") == written
    for block in others:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            exec(compile(block, PAGE.name, "exec"), names)
        assert said.getvalue().splitlines() == PRINTED.findall(block)
    run("look log.csv", monkeypatch, capsys)
    assert (tmp_path / "look.html").exists()
    run("train recipe.yaml --set training.epochs=1 --set model=shared_bottom", monkeypatch, capsys)
    assert (tmp_path / "runs" / "log" / "report.html").exists()


def run(command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    monkeypatch.setattr(sys, "argv", ["gatewise", *shlex.split(command)])
    with pytest.raises(SystemExit) as stopped:
        main()
    shown = capsys.readouterr()
    assert not stopped.value.code, shown.err
    return shown.out.splitlines()
