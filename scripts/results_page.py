"""Pages of results: sections between marks, each written by one script."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "results"
PAGES = {
    "quality": ("movielens", "kuairand", "census", "defaults"),
    "tables": ("tables", "small tables"),
    "paper": ("paper",),
    "balancing": ("balancing",),
    "labels": ("funnels", "late"),
    "daily": ("daily", "daily ways"),
    "speed": ("speed", "quality", "trunks", "encoding", "scoring", "limits", "growth"),
    "scale": ("stream", "processes"),
    "serving": ("serving",),
}
"""For each page of docs/results its sections."""
TITLE = "# Results\n\nEvery table is written by the command above it.\n"


def page_of(section: str) -> Path:
    """Return the page of docs/results that a section stands on."""
    (page,) = (page for page, sections in PAGES.items() if section in sections)
    return FOLDER / f"{page}.md"


def commit() -> str:
    """Return the short hash of what is checked out."""
    command = ["git", "rev-parse", "--short", "HEAD"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def machine() -> str:
    """Say which code ran where."""
    cores = f"{os.cpu_count()} CPU cores ({platform.machine()})"
    return f"commit {commit()}, {cores}, Python {platform.python_version()}, torch {torch.__version__}"


def write_section(name: str, text: str, page: Path | None = None) -> None:
    """Replace a section between its marks, or add it at the end of a page: by default the one of docs/results."""
    page = page or page_of(name)
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    whole = page.read_text(encoding="utf-8") if page.exists() else TITLE
    if begin not in whole:
        whole += f"\n{begin}\n{end}\n"
    before, rest = whole.split(begin)
    page.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}", encoding="utf-8")
    print(text)
