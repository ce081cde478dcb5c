"""Problems that labels tell of: rows with the same features and different labels, steps without the step before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from torch import Tensor

from gatewise.analysis.problems import Problem
from gatewise.declare import Schema
from gatewise.layout import OUT_OF_VOCABULARY
from gatewise.nn import TensorTable
from gatewise.tasks import BinaryTask, MulticlassTask, Task

GREAT = 0.3
"""Share of the rows with one label that is great."""
ALIKE = 2.0
"""Most rows with the same features, on average, where features are meant to tell rows apart."""
MOST_ROWS = 100_000
"""Most rows that are looked at, the first ones: copies of a row stand near each other more often than far apart."""
FEWEST_ROWS = 50
"""Fewest rows, of a task and with a label, from which something is said."""
STEPS = 0.01
"""Share of a step's rows without the step before from which it is worth a word."""
MIXER = np.uint64(0x9E3779B97F4A7C15)


def contradicting_labels(tasks: Sequence[Task], table: TensorTable) -> list[Problem]:
    """Return the tasks of which many rows have the features of a row with another label, as problems.

    Many are three of ten rows with one of the labels: where clicks are rare, those that have a copy without a click are
    few among all rows. Nothing is said where features only tell groups of rows apart: where more than two rows are
    alike on average, a label's rate per group is all there is to learn. Rows with a value out of vocabulary are left
    out, since they are alike to the model only.

    Args:
        tasks: the tasks; of labels that are 0 and 1, or classes.
        table: encoded rows with labels.
    """
    rows = min(len(table), MOST_ROWS)
    keys, plain = _same_features(table, rows)
    labels = table.labels[:rows].cpu().numpy()
    found, column = list[Problem](), 0
    for task in tasks:
        if isinstance(task, (BinaryTask, MulticlassTask)):
            own = labels[:, column]
            known = ~np.isnan(own) & plain
            found += _contradicting(task.name, keys[known], own[known])
        column += task.num_labels
    return found


def _contradicting(task: str, keys: np.ndarray, labels: np.ndarray) -> Iterator[Problem]:
    if len(keys) < FEWEST_ROWS:
        return
    _, group = np.unique(keys, return_inverse=True)
    groups = int(group.max()) + 1
    if len(keys) / groups > ALIKE:
        return
    least, most = np.full(groups, np.inf), np.full(groups, -np.inf)
    np.minimum.at(least, group, labels)
    np.maximum.at(most, group, labels)
    classes, place = np.unique(labels, return_inverse=True)
    rows, mixed = np.bincount(place), np.bincount(place, (least != most)[group])
    shares = np.where(rows >= FEWEST_ROWS, mixed / rows, 0.0)
    worst = int(shares.argmax())
    if shares[worst] < GREAT:
        return
    found = (
        f"{int(mixed[worst]):,} of the {int(rows[worst]):,} rows with label {classes[worst]:g} of task {task!r} have "
        "the features of a row with another label: no model can tell such rows apart"
    )
    remedy = (
        "one row per event where a join made several, or features that tell the rows apart, such as the time or the "
        "place on the page"
    )
    yield Problem("contradicting labels", None, (task,), found, remedy)


def steps_without(schema: Schema, labels: Mapping[str, np.ndarray]) -> list[Problem]:
    """Return the steps of a funnel that are taken in many rows without the step before, as problems.

    Many are 1 % of the rows in which the step is taken.

    Args:
        schema: the tasks.
        labels: by task the labels ``[row, column]`` as they stand in the table.
    """
    found = []
    for task in schema.tasks:
        before = getattr(task, "after", None)
        if before is None or before not in labels or task.name not in labels:
            continue
        taken = labels[task.name][:, 0] > 0
        alone = int((taken & (labels[before][:, 0] == 0)).sum())
        if alone and alone >= STEPS * taken.sum():
            what = f"{alone:,} of the {int(taken.sum()):,} rows with a {task.name!r} are without a {before!r}"
            remedy = (
                "a look at the join that brings both labels, and at their time windows; 'conflicts' of the task says "
                "which of the two to believe"
            )
            found.append(Problem("contradicting labels", None, (task.name, before), what, remedy))
    return found


def _same_features(table: TensorTable, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a number per row that rows with the same features share, and which rows have known values only."""
    keys, plain = np.zeros(rows, dtype=np.uint64), np.ones(rows, dtype=bool)
    ids = _numbers(table.ids[:rows])
    for column in ids.T:
        keys = _mixed(keys, column)
    if ids.shape[1]:
        plain &= (ids != OUT_OF_VOCABULARY).all(axis=1)
    for column in _numbers(table.floats[:rows]).T:
        keys = _mixed(keys, np.ascontiguousarray(column).view(np.uint32))
    for lists in (*table.lists, *table.number_lists):
        offsets = _numbers(lists.offsets[: rows + 1])
        values = _numbers(lists.values[: int(offsets[-1])])
        is_ids = values.dtype.kind == "i"
        items = values if is_ids else np.ascontiguousarray(values.astype(np.float32)).view(np.uint32)
        # a list is the sum of its items, each mixed with its place
        place = np.arange(len(items)) - np.repeat(offsets[:-1], np.diff(offsets))
        sums = np.append(np.uint64(0), _mixed(items.astype(np.uint64), place).cumsum(dtype=np.uint64))
        keys = _mixed(keys, sums[offsets[1:]] - sums[offsets[:-1]])
        if is_ids:
            unknown = np.append(0, (values == OUT_OF_VOCABULARY).cumsum())
            plain &= unknown[offsets[1:]] == unknown[offsets[:-1]]
    for texts in table.texts:
        keys = _mixed(keys, _numbers(texts.codes[:rows]))
    return keys, plain


def _mixed(keys: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return keys that also tell the values apart."""
    mixed = (keys ^ values.astype(np.uint64)) * MIXER
    return mixed ^ (mixed >> np.uint64(29))


def _numbers(values: Tensor) -> np.ndarray:
    return values.detach().cpu().numpy()
