"""Progress for programs: one JSON object per line."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from typing_extensions import override

from gatewise.history import EpochRecord
from gatewise.progress import kernels_on
from gatewise.training import Facts, Reporter


class JsonLines(Reporter):
    """Writes a line for the start, every epoch and the end of a training.

    - ``{"event": "start", "epochs", "first_epoch", "steps", "rows", "periods", "features", "parameters", "embedded",
      "device", "kernels", "folder"}``
    - ``{"event": "epoch", ...}`` with the fields of :class:`gatewise.history.EpochRecord`
    - ``{"event": "end", "reason", "seconds", "epochs", "best_epoch", ...}``, which :meth:`finish` writes

    Args:
        stream: where the lines go.
        periods: earliest and latest time of every part of the table.
    """

    def __init__(self, stream: TextIO, periods: Mapping[str, tuple[str, str]]) -> None:
        self.stream, self.periods = stream, periods
        self.reason = "not begun"
        self._facts: Facts | None = None
        self._began = time.monotonic()

    @override
    def on_prepared(self, facts: Facts) -> None:
        self._facts = facts

    @override
    def on_training_start(self, epochs: int, steps: int | None, first_epoch: int) -> None:
        values: dict[str, Any] = {"epochs": epochs, "first_epoch": first_epoch, "steps": steps}
        if (facts := self._facts) is not None:
            values |= {name: value for name, value in vars(facts).items() if name != "options"}
            values["folder"] = None if facts.folder is None else str(facts.folder)
            values["kernels"] = kernels_on(facts.device)
        self._write("start", {**values, "periods": self.periods})

    @override
    def on_epoch_end(self, record: EpochRecord) -> None:
        self._write("epoch", asdict(record))

    @override
    def on_training_end(self, reason: str) -> None:
        self.reason = reason

    def finish(self, **values: Any) -> None:
        """Write the line of the end: the reason, the seconds, and what else is given."""
        self._write("end", {"reason": self.reason, "seconds": round(time.monotonic() - self._began, 3), **values})

    def _write(self, event: str, values: Mapping[str, Any]) -> None:
        text = json.dumps({"event": event, **values}, ensure_ascii=False, allow_nan=False, default=_plain)
        self.stream.write(text + "\n")
        self.stream.flush()


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else dict(value)
