"""The labels of all tasks, in the order of the tasks."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.data.labels.ages import AsOf, aged
from gatewise.data.labels.kinds import label_encoder
from gatewise.data.labels.label import LabelEncoder
from gatewise.data.labels.samples import Contradictions, in_samples, settled
from gatewise.declare import Binary, Schema

Encoders = Mapping[str, LabelEncoder[Any]]
"""One label encoder per task, by name."""


def absorb_labels(
    schema: Schema, encoders: Encoders, table: pa.Table, found: Contradictions, as_of: AsOf | None = None
) -> np.ndarray:
    """Return the training labels of a table or a piece, ``[row, label]``, after each task saw those of its sample.

    Before the last piece, positions among classes that are learnt are provisional.

    Raises:
        TableError: labels are not valid for their kind of task; names the column.
    """
    for encoder in encoders.values():
        encoder.prepare(table)
    read = settled(schema, {name: encoder.read(table) for name, encoder in encoders.items()}, found)
    labels, _ = aged(schema, read, table, as_of)
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


def read_labels(
    schema: Schema, encoders: Encoders, table: pa.Table, as_of: AsOf | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the labels of a table, ``[row, label]``, and which of them are new, see :func:`aged`.

    Raises:
        TableError: as :func:`absorb_labels`.
    """
    read = settled(schema, {name: encoder.read(table) for name, encoder in encoders.items()})
    labels, fresh = aged(schema, read, table, as_of)
    return _beside(labels), fresh


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
        further = label_encoder(task).num_labels - 1
        names += [task.name if binary else None, *[None] * further]
    return names


def label_places(labels: Mapping[str, LabelEncoder[Any]]) -> dict[str, int]:
    """Return the first label column of every task."""
    starts = accumulate((label.num_labels for label in labels.values()), initial=0)
    return dict(zip(labels, starts, strict=False))


def _beside(labels: Mapping[str, np.ndarray]) -> np.ndarray:
    return np.ascontiguousarray(np.concatenate(list(labels.values()), axis=1))
