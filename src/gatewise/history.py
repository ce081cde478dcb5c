"""The history of a training: one record per epoch, saved as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gatewise.files import write_text


@dataclass
class EpochRecord:
    """The record of one epoch.

    Attributes:
        epoch: counted from 1.
        lr: learning rate at the end of the epoch.
        seconds: time of training and validation.
        rows_per_second: training rows per second of training.
        train: per task the mean ``loss`` over the task's rows, the mean ``weight`` over the steps in which the task
            had a row, and ``weighted_loss``.
        valid: every metric of every task; empty without a validation table.
        score: the monitored value, greater is better; None without a validation table.
        best: whether this is the best epoch so far.
        conflict: per pair of tasks and site of the gradients, the mean cosine and ratio of norms; empty if not
            requested.
        gates: per task the gate's weights of the last level's experts over the validation table: mean ``weights``
            ``[expert]``, mean ``entropy`` per row, ``relative_entropy`` (a share of even weights' entropy) and
            ``utilisation`` ``[expert]``, the share of rows in which the expert's weight is the largest; empty without
            gates or table.
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
    """Return the record of the epoch whose weights were kept: the last best epoch, else the last; None if empty."""
    best = [record for record in history if record.best] or list(history)
    return best[-1] if best else None


def write_history(path: Path, records: list[EpochRecord]) -> None:
    """Write the history as JSON lines, atomically."""
    write_text(path, "".join(json.dumps(asdict(record)) + "\n" for record in records))


def records_from(states: list[dict[str, Any]]) -> list[EpochRecord]:
    """Return records from plain dicts."""
    return [EpochRecord(**state) for state in states]
