"""Chinese pages name the English text that they translate, so that a change of one without the other is seen.

python scripts/twins.py                       # which Chinese pages are out of date
python scripts/twins.py docs/start.zh-CN.md   # this page says what its English twin says now
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUFFIX = ".zh-CN.md"
MARK = re.compile(r"<!-- of: ([0-9a-f]{12}) -->\n")
WRITTEN = re.compile(r"<!-- ([a-z -]+): begin -->.*?<!-- \1: end -->|<!-- output: .*?<!-- end -->", re.DOTALL)
"""What scripts write needs no translation."""


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
    print("\n".join(stale) or "all Chinese pages are up to date")
    sys.exit(bool(stale))


if __name__ == "__main__":
    main()
