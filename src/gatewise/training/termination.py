"""SIGTERM: a checkpoint is written before the process ends."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

EXIT_STATUS = 128 + signal.SIGTERM
"""What shells report of a process that SIGTERM ended."""


class Termination:
    """Whether the process was asked to end.

    Attributes:
        asked: whether SIGTERM came.
    """

    def __init__(self) -> None:
        self.asked = False
        self._before: Any = signal.SIG_DFL

    @contextmanager
    def awaited(self, saves: bool) -> Iterator[None]:
        """Note SIGTERM instead of ending at once, within the block.

        Args:
            saves: whether something is saved before the end; otherwise SIGTERM ends the process as always.
        """
        # signals reach the main thread alone
        if not saves or threading.current_thread() is not threading.main_thread():
            yield
            return
        self._before = signal.signal(signal.SIGTERM, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, self._before)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.asked = True

    def end(self) -> None:
        """End the process if it was asked to, or do what was to be done at SIGTERM before."""
        if not self.asked:
            return
        self.asked = False
        if callable(self._before):
            self._before(signal.SIGTERM, None)
        else:
            sys.exit(EXIT_STATUS)
