"""The notebooks run in a kernel from top to bottom, on fewer rows and epochs, and carry small outputs."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="pip install 'gatewise[dev]'")
nbclient = pytest.importorskip("nbclient", reason="pip install 'gatewise[dev]'")

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
QUICK = (
    (r"\b(30_000|40_000)\b", "6_000"),
    (r"slice\(0, (25|32)_000\)", "slice(0, 5_000)"),
    (r"slice\((25_000|36_000)\)", "slice(5_000)"),
    (r"slice\(32_000, 4_000\)", "slice(5_000, 500)"),
    (r"slice\(0, 24_000\)", "slice(0, 4_000)"),
    (r"slice\(24_000, 3_000\)", "slice(4_000, 500)"),
    (r"slice\(27_000\)", "slice(4_500)"),
    (r'"epochs": \d+', '"epochs": 2'),
    (r"seeds=3", "seeds=1"),
)
"""What makes a notebook quick, without another path through the code."""
LARGEST = 200_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("GATEWISE_DATA", os.environ.get("GATEWISE_DATA", str(tmp_path)))
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        for words, quick in QUICK:
            cell.source = re.sub(words, quick, cell.source)
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    assert any(cell.get("outputs") for cell in notebook.cells)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_kept_as_it_ran_with_small_outputs(path: Path) -> None:
    assert path.stat().st_size < LARGEST
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [out for cell in code for out in cell.outputs if out.output_type == "error"]
    for target in re.findall(r"\]\((?!http)([^)#]+)", "\n".join(cell.source for cell in notebook.cells)):
        assert (FOLDER / target).exists(), target
