"""Users' modules that register kinds: imported only if the user names them, never because a file does.

Child processes import them too: the environment holds the modules' names and the folder in which they were found.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gatewise.errors import GatewiseError

MODULES, FOLDER = "GATEWISE_IMPORT", "GATEWISE_IMPORT_FROM"


def import_modules(names: Sequence[str]) -> None:
    """Import modules, also from the working directory, in this process and in its child processes.

    Raises:
        GatewiseError: a module cannot be imported; names it and the reason.
    """
    if names:
        folder = str(Path.cwd())
        _import(names, folder)
        os.environ[MODULES], os.environ[FOLDER] = ",".join(names), folder


def import_as_told() -> None:
    """Import, in a child process, the modules that its parent imported."""
    names = [name for name in os.environ.get(MODULES, "").split(",") if name]
    if names:
        _import(names, os.environ.get(FOLDER, ""))


def _import(names: Sequence[str], folder: str) -> None:
    with _found_first(folder):
        for name in names:
            try:
                importlib.import_module(name)
            except Exception as error:  # a user's code may raise any error
                reason = f"{type(error).__name__}: {error}".splitlines()[0]
                raise GatewiseError(f"--import {name}: {reason}") from error


@contextmanager
def _found_first(folder: str) -> Iterator[None]:
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
