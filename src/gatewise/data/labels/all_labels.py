"""The labels of all tasks, in the order of the tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.data.labels.kinds import label_encoder
from gatewise.data.labels.label import LabelEncoder
from gatewise.data.labels.samples import Contradictions, in_samples, settled
from gatewise.declare import Binary, Schema

Encoders = Mapping[str, LabelEncoder[Any]]
"""One label encoder per task, by name."""


def absorb_labels(schema: Schema, encoders: Encoders, table: pa.Table, found: Contradictions) -> np.ndarray:
    """Return the training labels of a table or a piece, ``[row, label]``, after each task saw those of its sample.

    Before the last piece, positions among classes that are learnt are provisional.

    Raises:
        TableError: labels are not valid for their kind of task; names the column.
    """
    for encoder in encoders.values():
        encoder.prepare(table)
    labels = settled(schema, {name: encoder.read(table) for name, encoder in encoders.items()}, found)
    for name, sample in in_samples(schema, labels).items():
        encoders[name].absorb(sample)
    return _beside(labels)


def learn_labels(encoders: Encoders, found: Contradictions) -> None:
    """Learn each task's statistics from what was absorbed.

    Raises:
        TableError: nothing can be learnt from a task's labels; names the column.

    Warns:
        GatewiseWarning: labels of a funnel contradict.
    """
    found.warn()
    for encoder in encoders.values():
        encoder.learn()


def read_labels(schema: Schema, encoders: Encoders, table: pa.Table) -> np.ndarray:
    """Return the labels of a table, ``[row, label]``.

    Raises:
        TableError: as :func:`absorb_labels`.
    """
    return _beside(settled(schema, {name: encoder.read(table) for name, encoder in encoders.items()}))


def known_labels(encoders: Encoders, table: pa.Table) -> np.ndarray | None:
    """Return the label columns that are known beforehand, ``[row, label]`` with NaN elsewhere; None if none are."""
    if all(encoder.num_labels == 1 for encoder in encoders.values()):
        return None
    return _beside({name: encoder.read_known(table) for name, encoder in encoders.items()})


def label_columns(schema: Schema) -> list[str | None]:
    """Return the task of every label column whose labels are 0 and 1; None for any other column."""
    names: list[str | None] = []
    for task in schema.tasks:
        binary = isinstance(task, Binary)
        names += [task.name if binary else None] * label_encoder(task).num_labels
    return names


def _beside(labels: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.ascontiguousarray(np.concatenate(list(labels.values()), axis=1))
