"""A file that gets the lines of a command, with date and time."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LOGGER = logging.getLogger("gatewise")


class LogFile:
    """The file of ``--log-file``; without one nothing is written.

    Args:
        handler: writes the file.
    """

    def __init__(self, handler: logging.Handler | None) -> None:
        self.handler = handler

    def write(self, line: str, level: int = logging.INFO) -> None:
        """Write a line to the file alone."""
        if self.handler is not None:
            self.handler.handle(LOGGER.makeRecord(LOGGER.name, level, "", 0, line, (), None))


@contextmanager
def log_file(path: Path | None, *, verbose: bool) -> Iterator[LogFile]:
    """Give a command's lines and warnings to a file too, behind what it holds; more of them if ``verbose``.

    Raises:
        OSError: the file cannot be written.
    """
    handler = None if path is None else logging.FileHandler(path, encoding="utf-8")
    before = LOGGER.handlers, LOGGER.propagate, LOGGER.level
    if handler is not None:
        handler.setFormatter(logging.Formatter("%(asctime)s  %(message)s", datefmt="%Y-%m-%d %H:%M:%S"))
        LOGGER.handlers, LOGGER.propagate = [*LOGGER.handlers, handler], False
        LOGGER.setLevel(logging.INFO)
    if verbose:
        LOGGER.setLevel(logging.DEBUG)
    file, shown = LogFile(handler), warnings.showwarning

    def show(message: Warning | str, *others: Any, **named: Any) -> None:
        file.write(f"warning: {message}", logging.WARNING)
        shown(message, *others, **named)

    try:
        with warnings.catch_warnings():
            warnings.showwarning = show
            yield file
    except BaseException as error:
        file.write(f"ended: {type(error).__name__}: {error}".rstrip(": "), logging.ERROR)
        raise
    finally:
        LOGGER.handlers, LOGGER.propagate = before[:2]
        LOGGER.setLevel(before[2])
        if handler is not None:
            handler.close()
