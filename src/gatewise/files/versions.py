"""Reading several files of a folder that other processes may replace meanwhile."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from io import FileIO
from pathlib import Path
from typing import TypeVar

from gatewise.files.temporary import OLD, left_of

Version = dict[str, bytes]
"""The bytes of a folder's files, by name, without missing files."""
Result = TypeVar("Result")
ATTEMPTS = 1000
LOOKS, INSTANT = 20, 0.001
"""How often, and how many seconds apart, a missing folder is looked for."""
FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
"""Flags for opening files: opening must not wait, even if the file is a pipe."""


def read_version(folder: Path, names: Sequence[str], make: Callable[[Version], Result]) -> Result:
    """Return the result of ``make`` for the files of one version of a folder.

    Every file is read once. All files are opened before any is read, so that a version is complete even if the
    folder is replaced meanwhile. If ``make`` fails and the folder has been replaced, the new folder is read.

    Raises:
        FileNotFoundError: there is no such folder.
        OSError: a file cannot be read.
        Exception: what ``make`` raises.
    """
    missing = 0
    for attempt in itertools.count(1):
        place = _whole(folder)
        before = _identity(place)
        try:
            return make(_read(place, names))
        except Exception as error:
            absent = isinstance(error, FileNotFoundError)
            missing += absent
            changed = before != _identity(_whole(folder))
            # if names cannot be exchanged, the folder is missing for an instant: look again
            if attempt == ATTEMPTS or not (changed or (absent and missing < LOOKS)):
                raise
            if absent:
                time.sleep(INSTANT)
    raise AssertionError


def _read(folder: Path, names: Sequence[str]) -> Version:
    with ExitStack() as stack:
        # names are looked up in the opened folder, even if its path means another folder a moment later
        directory = None
        if os.open in os.supports_dir_fd:
            directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, directory)
        files = {}
        for name in names:
            try:
                descriptor = os.open(name if directory is not None else folder / name, FLAGS, dir_fd=directory)
            except FileNotFoundError:
                continue
            files[name] = stack.enter_context(FileIO(descriptor))
        return {name: file.readall() for name, file in files.items()}


def _whole(folder: Path) -> Path:
    """Return a folder, or its old version if a writer died before the new one was in place."""
    if not folder.exists() and folder.parent.is_dir():
        return next(left_of(folder, (OLD,)), folder)
    return folder


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
