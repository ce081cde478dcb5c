"""Pages of results: sections between marks, each written by one script."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "results.md"
TITLE = "# Results\n\nEvery table here is written by the command above it.\n"


def commit() -> str:
    """Return the short hash of what is checked out."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def machine() -> str:
    """Say which code ran where."""
    cores = f"{os.cpu_count()} CPU cores ({platform.machine()})"
    return f"commit {commit()}, {cores}, Python {platform.python_version()}, torch {torch.__version__}"


def write_section(name: str, text: str, page: Path = PAGE) -> None:
    """Replace a section between its marks, or add it at the end."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    whole = page.read_text(encoding="utf-8") if page.exists() else TITLE
    if begin not in whole:
        whole += f"\n{begin}\n{end}\n"
    before, rest = whole.split(begin)
    page.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}", encoding="utf-8")
    print(text)
