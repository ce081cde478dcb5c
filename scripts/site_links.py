"""A hook of mkdocs: links out of docs/ lead to copies in the site, and links to twins are left to the site's switch."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
LINK = re.compile(r"\]\((\.\.?/[^)#\s]+)(#[^)\s]*)?\)")
TWIN = re.compile(r" ?\[(?:中文|English)\]\([^)]*\)")
FOLDER = "files"
"""Where copies lie in the site."""


def on_page_markdown(markdown: str, *, page: Any, files: Files, config: Any, **_: Any) -> str:
    """Return a page's text with links that lead out of docs/ bent to the site."""
    here = DOCS / Path(page.file.src_uri).parent

    def bent(found: re.Match[str]) -> str:
        target = (here / found[1]).resolve()
        if target.is_relative_to(DOCS) or not target.is_relative_to(ROOT):
            return found[0]
        return f"]({os.path.relpath(_in_site(target, files, config), here)})"

    return LINK.sub(bent, TWIN.sub("", markdown))


def _in_site(target: Path, files: Files, config: Any) -> Path:
    """Return where a file of the repository lies in the site, as if the site were docs/; copies it there if needed."""
    name = target.relative_to(ROOT).as_posix()
    if target.name.startswith("README") and target.parent == ROOT:
        return DOCS / "index.md"
    if target.is_dir():
        name += ".txt"
    place = f"{FOLDER}/{name}.txt" if target.suffix in (".md", ".py") else f"{FOLDER}/{name}"
    if files.get_file_from_path(place) is None:
        content = "\n".join(sorted(each.name for each in target.iterdir())) if target.is_dir() else target.read_text()
        files.append(File.generated(config, place, content=content))
    return DOCS / place
