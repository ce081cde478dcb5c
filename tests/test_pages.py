"""The Python of pages that stand alone runs, and prints what its comments say."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"
PYTHON = re.compile(r"```python\n(.*?)```", re.DOTALL)
PRINTED = re.compile(r"^print\(.*\)  # (.*)$", re.MULTILINE)


# MLflow warns of type hints of its own when it is imported
TRACKING = pytest.param("tracking.md", marks=pytest.mark.filterwarnings("ignore"))


@pytest.mark.parametrize("page", ["plain-pytorch.md", "sequences.md", "sklearn.md", "scale.md", "daily.md", TRACKING])
def test_python_blocks_run_and_print_what_they_say(page: str, tmp_path, monkeypatch) -> None:
    # what a page writes is no part of the project
    monkeypatch.chdir(tmp_path)
    blocks = PYTHON.findall((DOCS / page).read_text(encoding="utf-8"))
    assert blocks
    names: dict[str, object] = {"__name__": "page"}
    for block in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block, page, "exec"), names)
        assert printed.getvalue().splitlines() == PRINTED.findall(block)
