"""What ``auto`` becomes: options that follow from the size of the training table.

The rules were chosen on half of an open collection of tables; ``docs/training.md`` shows what they gain on both halves.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, NamedTuple, cast

from gatewise.declare.base import AUTO, number_of
from gatewise.declare.options import Options

BATCHES = 100
"""Batches that an epoch of a table of medium size has."""
SMALLEST_BATCH, LARGEST_BATCH = 32, 1024
SEEN = 2_000_000
"""Rows that a training with early stopping sees at most, all epochs together; a large table is seen twice."""
FEWEST_EPOCHS, MOST_EPOCHS = 2, 100
UNSTOPPED = 1400
"""Epochs of a table with one row, without validation rows that could end them; falls with the root of the rows."""
MOST_UNSTOPPED = 60
SHORTEST_PATIENCE, LONGEST_PATIENCE = 3, 10
MEDIUM_STEP = 128
"""Rows of a step that is made with the medium learning rate."""
SMALLEST_RATE, MEDIUM_RATE, LARGEST_RATE = 5e-4, 1e-3, 2e-3
MEMBERS = ((50_000, 8), (150_000, 4))
"""Members of tables up to a number of rows; larger ones have one."""


class TableSize(NamedTuple):
    """What ``auto`` looks at.

    Attributes:
        rows: of the training table.
        validated: whether validation rows decide the best epoch.
    """

    rows: int
    validated: bool


def batch_size(rows: int) -> int:
    """Return the power of two nearest to a hundredth of the rows, between 32 and 1,024."""
    nearest = 2 ** round(math.log2(max(rows, 1) / BATCHES))
    return int(min(max(nearest, SMALLEST_BATCH), LARGEST_BATCH))


def epochs(size: TableSize) -> int:
    """Return the largest number of epochs: enough that early stopping ends them, or what rows allow without it."""
    if size.validated:
        return min(max(round(SEEN / max(size.rows, 1)), FEWEST_EPOCHS), MOST_EPOCHS)
    return min(max(round(UNSTOPPED / math.sqrt(max(size.rows, 1))), 1), MOST_UNSTOPPED)


def members(rows: int) -> int:
    """Return the number of members."""
    return next((count for most, count in MEMBERS if rows <= most), 1)


def learning_rate(rows: int, optimizer: str) -> float:
    """Return the rate of a step of so many rows: as the root of their number, between two bounds."""
    if not optimizer.startswith("adam"):
        return MEDIUM_RATE
    return min(max(MEDIUM_RATE * math.sqrt(rows / MEDIUM_STEP), SMALLEST_RATE), LARGEST_RATE)


def patience(known_epochs: int) -> int:
    """Return a fifth of the epochs, between 3 and 10."""
    return min(max(known_epochs // 5, SHORTEST_PATIENCE), LONGEST_PATIENCE)


def chosen(options: Options, size: TableSize) -> dict[str, int | float]:
    """Return what every option that is ``auto`` becomes for a table, by name."""
    found: dict[str, int | float] = {}
    training = options.training
    known_batch = batch_size(size.rows) if training.batch_size == AUTO else number_of(training.batch_size, "batch_size")
    known_epochs = epochs(size) if training.known_epochs is None else training.known_epochs
    if training.batch_size == AUTO:
        found["batch_size"] = known_batch
    if training.epochs == AUTO:
        found["epochs"] = known_epochs
    if training.patience == AUTO:
        found["patience"] = patience(known_epochs)
    if training.lr == AUTO:
        found["lr"] = learning_rate(known_batch * training.accumulate, training.optimizer)
    if options.model.members == AUTO:
        found["members"] = members(size.rows)
    return found


def resolved(options: Options, size: TableSize) -> Options:
    """Return options of numbers only: whatever is ``auto`` becomes what fits the table."""
    found = chosen(options, size)
    count = found.pop("members", None)
    model = options.model if count is None else replace(options.model, members=int(count))
    training = replace(options.training, **cast("dict[str, Any]", found))
    return replace(options, model=model, training=training)
