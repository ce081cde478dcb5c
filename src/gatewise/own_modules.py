"""Modules of the user's own, which register kinds: imported because a person named them, never because a file did.

Processes that this one starts import them too: their names and the folder where they were found are in the environment.
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
    """Import modules, also from the working directory, here and in the processes that this one starts.

    Raises:
        GatewiseError: one cannot be imported; says which and why.
    """
    if names:
        folder = str(Path.cwd())
        _import(names, folder)
        os.environ[MODULES], os.environ[FOLDER] = ",".join(names), folder


def import_as_told() -> None:
    """Import, in a process that another one has started, what that one has imported."""
    names = [name for name in os.environ.get(MODULES, "").split(",") if name]
    if names:
        _import(names, os.environ.get(FOLDER, ""))


def _import(names: Sequence[str], folder: str) -> None:
    with _found_first(folder):
        for name in names:
            try:
                importlib.import_module(name)
            except Exception as error:  # somebody's own code may raise anything
                reason = f"{type(error).__name__}: {error}".splitlines()[0]
                raise GatewiseError(f"--import {name}: {reason}") from error


@contextmanager
def _found_first(folder: str) -> Iterator[None]:
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
