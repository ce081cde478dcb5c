"""The history of a training: one record an epoch, kept as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gatewise.files import write_text


@dataclass
class EpochRecord:
    """What happened in one epoch.

    Attributes:
        epoch: counted from 1.
        lr: learning rate at its end.
        seconds: time for training, and validation.
        rows_per_second: training rows in a second of training.
        train: for each task its mean ``loss`` over its own rows, the mean ``weight`` given to it where it
            had a row, ``weighted_loss``.
        valid: every metric of every task; empty without a validation table.
        score: the monitored value, greater is better; None without a validation table.
        best: whether this is the best epoch so far.
        conflict: for every two tasks, and where their gradients were taken, the mean cosine and ratio of norms; empty
            where nobody asked.
        gates: for each task how its gate weighs the last level's experts over the validation table: mean ``weights``
            ``[expert]``, mean ``entropy`` of a row, ``relative_entropy`` to that of even weights, and ``utilisation``
            ``[expert]``, the share of rows in which the expert's weight is the largest; empty without gates or table.
    """

    epoch: int
    lr: float
    seconds: float
    rows_per_second: float
    train: dict[str, dict[str, float]]
    valid: dict[str, dict[str, float | None]] = field(default_factory=dict)
    score: float | None = None
    best: bool = False
    conflict: list[dict[str, Any]] = field(default_factory=list)
    gates: dict[str, dict[str, Any]] = field(default_factory=dict)


def kept_epoch(history: Sequence[EpochRecord]) -> EpochRecord | None:
    """Return the epoch whose weights a training kept: the last best one, or else the last; None without any."""
    best = [record for record in history if record.best] or list(history)
    return best[-1] if best else None


def write_history(path: Path, records: list[EpochRecord]) -> None:
    """Write the history as JSON lines, whole or not at all."""
    write_text(path, "".join(json.dumps(asdict(record)) + "\n" for record in records))


def records_from(states: list[dict[str, Any]]) -> list[EpochRecord]:
    """Rebuild records from plain dicts."""
    return [EpochRecord(**state) for state in states]
