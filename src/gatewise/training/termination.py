"""SIGTERM: a checkpoint is written before the process ends."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_STATUS = 128 + signal.SIGTERM
"""What shells report of a process that SIGTERM ended."""


class Termination:
    """Whether the process was asked to end.

    Attributes:
        asked: whether SIGTERM came.
    """

    def __init__(self) -> None:
        self.asked = False

    @contextmanager
    def awaited(self, saves: bool) -> Iterator[None]:
        """Note SIGTERM instead of ending at once, within the block.

        Args:
            saves: whether something is saved before the end; otherwise SIGTERM ends the process as always.
        """
        ours = saves and threading.current_thread() is threading.main_thread()
        # a handler of somebody else stays
        if not ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
            yield
            return
        signal.signal(signal.SIGTERM, self._note)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _note(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self.asked = True

    def end(self) -> None:
        """End the process if it was asked to."""
        if self.asked:
            sys.exit(EXIT_STATUS)
