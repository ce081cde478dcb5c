"""Columns beside the labels: groups of rows, row weights, and numbers for a fusion."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from gatewise.data.hashing import hash_values
from gatewise.data.tables import pick_column
from gatewise.data.values import as_numbers, distinct_keys
from gatewise.declare import Label, Schema
from gatewise.errors import GatewiseWarning, TableError


def encode_groups(schema: Schema, table: pa.Table) -> np.ndarray | None:
    """Return the group number of every row, int64, -1 for null: no group; None for a schema without groups.

    Raises:
        TableError: the column is missing, or holds neither integers nor strings.
    """
    if schema.group is None:
        return None
    purpose = f"group {schema.group!r}"
    found = distinct_keys(pick_column(table, schema.group, purpose), purpose)
    codes = found.codes.astype(np.int64)
    return np.where(codes == len(found.values), -1, codes)


def hash_groups(schema: Schema, table: pa.Table) -> np.ndarray | None:
    """Return a hash of the group of every row, int64 of 0 or more, the same in every piece of a table; -1: no group.

    Raises:
        TableError: see :func:`encode_groups`.
    """
    if schema.group is None:
        return None
    purpose = f"group {schema.group!r}"
    found = distinct_keys(pick_column(table, schema.group, purpose), purpose)
    hashed = (hash_values(found.values) >> np.uint64(1)).astype(np.int64)
    taken: np.ndarray = np.append(hashed, -1)[found.codes]
    return taken


def encode_weights(schema: Schema, table: pa.Table) -> np.ndarray | None:
    """Return the row weights, float32 ``[row, task]``, 1 for a task without weights; None if no task has weights.

    Raises:
        TableError: a missing column, a null, a negative number, or a value that is not a number; names the task.
    """
    if all(task.weight_column is None for task in schema.tasks):
        return None
    return np.stack([_weights_of(task, table) for task in schema.tasks], axis=1)


def some_weigh(weights: np.ndarray) -> np.ndarray:
    """Return for every task whether a row has a weight above 0, from weights ``[row, task]``."""
    return np.asarray((weights > 0).any(axis=0))


def warn_of_zeros(schema: Schema, some: np.ndarray | None) -> None:
    """Warn of tasks all of whose rows weigh 0; ``some`` says of every task whether a row has another weight.

    Warns:
        GatewiseWarning: names the task.
    """
    for task, weighs in zip(schema.tasks, () if some is None else some, strict=False):
        if not weighs:
            what = f"weight of task {task.name!r}: every row weighs 0, so the task learns nothing"
            warnings.warn(what, GatewiseWarning, stacklevel=4)


def _weights_of(task: Label, table: pa.Table) -> np.ndarray:
    if task.weight_column is None:
        return np.ones(table.num_rows, np.float32)
    purpose = f"weight of task {task.name!r}"
    values, missing = as_numbers(pick_column(table, task.weight_column, purpose), purpose)
    wrong = np.flatnonzero(missing | (values < 0))
    if len(wrong):
        found = "null" if missing[wrong[0]] else f"{values[wrong[0]]:g}"
        raise TableError(f"{purpose}: found {found} in row {wrong[0]}, expected numbers of 0 or more")
    return values.astype(np.float32)


def known_numbers(names: Iterable[str], table: pa.Table) -> dict[str, np.ndarray]:
    """Return columns that a fusion uses, float64 ``[row]`` each; a null counts as 0.

    Raises:
        TableError: a column is missing, or does not hold numbers; names the column.
    """
    found = {}
    for name in names:
        purpose = f"known column {name!r}"
        numbers, missing = as_numbers(pick_column(table, name, purpose), purpose)
        found[name] = np.where(missing, 0.0, numbers)
    return found
