"""Names of columns and classes are shown as they are, whatever a terminal or a page makes of their letters."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from rich.console import Console

from gatewise.cli import main
from gatewise.progress import ProgressReporter, counting_down, working

# markup, a closing tag of none, emoji, HTML, formulas
TASK, BROKEN, CLASS, FEATURE = "device[tv]", "[/b]", ":smile:[red]", "<b>$a_b$ & [i]c"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, rng = tmp_path_factory.mktemp("names"), np.random.default_rng(0)
    table = pa.table(
        {
            FEATURE: rng.choice(["x", "[bold]y", "[/z]"], 300),
            TASK: rng.integers(0, 2, 300),
            BROKEN: rng.choice([CLASS, "web"], 300),
        }
    )
    pq.write_table(table, folder / "t.parquet")
    recipe = {
        "data": {"table": "t.parquet", "split": {"seed": 0, "valid": 0.2, "test": 0.3}},
        "features": [{"kind": "categorical", "name": FEATURE, "dim": 2}],
        "tasks": [{"kind": "binary", "name": TASK}, {"kind": "multiclass", "name": BROKEN}],
        "model": {"kind": "mmoe", "experts": 2, "expert_dims": [4]},
        "training": {"epochs": 1},
        "output": "run",
    }
    (folder / "r.yaml").write_text(yaml.safe_dump(recipe))
    return folder


def said(arguments: list[str], place: Path, monkeypatch, capsys) -> str:
    """Return what a command prints."""
    monkeypatch.chdir(place)
    monkeypatch.setattr(sys, "argv", ["gatewise", *arguments])
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 0, capsys.readouterr().err
    return capsys.readouterr().out


def test_commands_and_the_report_show_names_as_they_are(place, monkeypatch, capsys) -> None:
    printed = said(["train", "r.yaml"], place, monkeypatch, capsys)
    assert TASK in printed
    assert BROKEN in printed
    for arguments, names in (
        (["evaluate", "run", "t.parquet", "--by", FEATURE], (TASK, "[bold]y", "[/z]")),
        (["explain", "run", "--table", "t.parquet", "--row", "1"], (FEATURE, TASK)),
    ):
        printed = said(arguments, place, monkeypatch, capsys)
        for name in names:
            assert name in printed, (arguments, name)
    page = (place / "run" / "report.html").read_text(encoding="utf-8")
    assert "<b>$a_b$" not in page
    assert "&lt;b&gt;$a_b$ &amp; [i]c" in page


def test_progress_shows_names_as_they_are() -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=200, _environ={"TERM": "xterm"})
    reporter = ProgressReporter([TASK, BROKEN], console, label=BROKEN)
    reporter.on_training_start(1, 2, 1)
    reporter._shown = -1e9
    reporter.on_step_end(torch.tensor([0.5, 0.25]))
    reporter._bar.refresh()
    reporter.on_training_end("")
    assert BROKEN in shown.getvalue()
    assert shown.getvalue().startswith(f"{BROKEN}: at most 1 epochs")
    assert f"{TASK} 0.5000" in shown.getvalue()
    with working(BROKEN, True) as tell, counting_down("trainings", 2, False):
        tell(TASK)
