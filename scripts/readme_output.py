"""Run the commands of the READMEs and put what they really print below them.

    python scripts/readme_output.py

A block between ``<!-- output: COMMAND -->`` and ``<!-- end -->`` is replaced; each command runs once, all in one
folder.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "README.zh-CN.md")
BLOCK = re.compile(r"(<!-- output: (?P<command>.+?) -->\n).*?(<!-- end -->)", re.DOTALL)


def run(command: str, folder: Path) -> str:
    """Return what a command prints, without the spaces at the ends of lines."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "COLUMNS": "100", "GATEWISE_QUIET": "1"}
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return "\n".join(line.rstrip() for line in done.stdout.splitlines()).strip("\n")


def main() -> None:
    """Refresh every page."""
    printed: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name:
        for page in PAGES:
            path = ROOT / page
            text = path.read_text(encoding="utf-8")
            for match in BLOCK.finditer(text):
                command = match["command"]
                if command not in printed:
                    printed[command] = run(command, Path(name))
                    print(f"$ {command}\n{printed[command]}\n")
            path.write_text(
                BLOCK.sub(lambda m: f"{m[1]}```console\n$ {m['command']}\n{printed[m['command']]}\n```\n{m[3]}", text),
                encoding="utf-8",
            )


if __name__ == "__main__":
    main()
