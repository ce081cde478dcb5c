"""Processes of the same Python: isolated from the working directory, and ended together with their parent."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from gatewise.errors import GatewiseError

ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds the package, wherever it was imported from."""
START = (
    "import sys; sys.path.append(sys.argv.pop(1)); from gatewise.own_modules import import_as_told; import_as_told(); "
    "from {module} import main; main()"
)


def run(module: str, arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run the ``main`` of a module of this package in a process of its own; it ends together with this process.

    ``main`` must begin with :func:`end_with_parent`. Modules are looked for where this Python is installed, in
    absolute folders of ``PYTHONPATH``, and last beside this package: never in the working directory. Only
    modules named with ``--import`` are looked for where this process found them.

    Raises:
        GatewiseError: there is no Python interpreter.
    """
    if not Path(sys.executable or "").is_absolute():
        raise GatewiseError(f"expected the absolute path of an interpreter, found {sys.executable!r}")
    command = [sys.executable, "-P", "-c", START.format(module=module), str(ROOT), *arguments]
    read, write = os.pipe()
    try:
        with subprocess.Popen(
            command, stdin=read, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment()
        ) as process:
            os.close(read)
            read = -1
            _, errors = process.communicate()
    finally:
        for end in (read, write):
            if end >= 0:
                os.close(end)
    return subprocess.CompletedProcess(command, process.returncode, "", errors)


def environment() -> dict[str, str]:
    """Return the environment without variables of Python, except absolute folders of ``PYTHONPATH``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    folders = [folder for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if Path(folder).is_absolute()]
    return kept | ({"PYTHONPATH": os.pathsep.join(folders)} if folders else {})


def end_with_parent() -> None:
    """End this process when its parent is gone: standard input ends then, however the parent died."""
    threading.Thread(target=_wait_for_the_end, daemon=True).start()


def _wait_for_the_end() -> None:
    os.read(0, 1)
    os._exit(1)
