"""Chinese pages name the English text that they translate, so that a change of one without the other is seen.

python scripts/twins.py                       # which Chinese pages are out of date, in text or figures
python scripts/twins.py docs/start.zh-CN.md   # this page says what its English twin says now
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUFFIX = ".zh-CN.md"
MARK = re.compile(r"<!-- of: ([0-9a-f]{12}) -->\n")
SECTION = re.compile(r"<!-- ([a-z -]+): begin -->.*?<!-- \1: end -->", re.DOTALL)
"""What scripts write into English pages."""
WRITTEN = re.compile(rf"{SECTION.pattern}|<!-- output: .*?<!-- end -->|<!-- fragment: .*? -->\n+", re.DOTALL)
"""What needs no translation."""
TABLE = re.compile(r"(?:^\|.*\n)+", re.MULTILINE)
CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
FIGURE = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?")


def pages() -> list[Path]:
    """Return all Chinese pages."""
    folders = (ROOT / "docs", ROOT / "examples")
    return sorted([*ROOT.glob(f"*{SUFFIX}"), *(page for folder in folders for page in folder.rglob(f"*{SUFFIX}"))])


def english(page: Path) -> Path:
    """Return the English twin of a Chinese page."""
    return page.with_name(page.name.removesuffix(SUFFIX) + ".md")


def digest(page: Path) -> str:
    """Return what a Chinese page names: a digest of what people wrote on its English twin."""
    return hashlib.sha256(WRITTEN.sub("", english(page).read_text(encoding="utf-8")).encode()).hexdigest()[:12]


def is_up_to_date(page: Path) -> bool:
    """Return whether a page names the English text of today."""
    found = MARK.search(page.read_text(encoding="utf-8"))
    return found is not None and found[1] == digest(page)


def stale_figures(page: Path) -> Iterator[str]:
    """Yield what the tables of a Chinese page no longer say as scripts wrote it into the English one.

    Both pages have the same tables in the same order, and a copy has the figures of its table in order. Figures with a
    point that scripts wrote into sentences stand anywhere on the Chinese page.
    """
    name, there = page.name, english(page).read_text(encoding="utf-8")
    here = page.read_text(encoding="utf-8")
    written = [(found.start(), found.end(), found[1]) for found in SECTION.finditer(there)]
    tables, copies = list(TABLE.finditer(there)), TABLE.findall(here)
    if written and len(tables) != len(copies):
        yield f"{name}: {len(copies)} tables, {len(tables)} in English"
        return
    for begin, end, section in written:
        places = [place for place, table in enumerate(tables) if begin <= table.start() < end]
        for place in places:
            pairs = zip_longest(FIGURE.findall(tables[place][0]), FIGURE.findall(copies[place]))
            differing = next((pair for pair in pairs if pair[0] != pair[1]), None)
            if differing is not None:
                yield f"{name}: table of {section!r}: {differing[1]} where the English page has {differing[0]}"
        known = set(FIGURE.findall(here))
        said = FIGURE.findall(TABLE.sub("", CODE.sub("", there[begin:end])))
        yield from (f"{name}: {section!r} has {each} in English" for each in said if "." in each and each not in known)


def accept(page: Path) -> None:
    """Write into a page that it says what its English twin says."""
    text = MARK.sub("", page.read_text(encoding="utf-8")).rstrip("\n")
    page.write_text(f"{text}\n\n<!-- of: {digest(page)} -->\n", encoding="utf-8")


def main() -> None:
    if sys.argv[1:]:
        for name in sys.argv[1:]:
            accept(Path(name).resolve())
        return
    stale = [str(page.relative_to(ROOT)) for page in pages() if not is_up_to_date(page)]
    stale += [problem for page in pages() for problem in stale_figures(page)]
    print("\n".join(stale) or "all Chinese pages are up to date")
    sys.exit(bool(stale))


if __name__ == "__main__":
    main()
