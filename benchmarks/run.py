"""Runs the benchmarks and writes their sections of docs/results and docs/performance.md.

python benchmarks/run.py [PART ...]      without a part: all, which takes hours; an interrupted one can be run again
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import page
from reporting import say

PARTS = ("limits", "speed", "growth", "scoring", "serving", "encoding", "stream", "steps", "trunks", "balance")
PARTS += ("quality", "vocabularies", "daily", "processes")


def main() -> int:
    """Run the parts one after the other; a section is written as soon as it is known."""
    available = [part for part in PARTS if find_spec(part)]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of {', '.join(available)}; all by default")
    parser.add_argument("--page", type=Path, help="write to another page than docs/results")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that all parts work")
    given = parser.parse_args()
    for unknown in set(given.parts) - set(available):
        parser.error(f"no part {unknown!r} (parts: {', '.join(available)})")
    if given.quick and given.page is None:
        parser.error("--quick needs --page: its figures are not for docs/results")
    for name in given.parts or available:
        say(f"{name} starts")
        part = import_module(name)
        text = part.section(**getattr(part, "QUICK", {}) if given.quick else {})
        page.write_section(name, text, given.page or getattr(part, "PAGE", None))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted")
