"""LightGBM on the columns of a schema: a model a task, its options chosen and its trees counted on validation rows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import torch

from gatewise.data import TableEncoder
from gatewise.declare import Binary, Numeric, Task, column_of
from gatewise.jobs.trees import indicators
from gatewise.layout import NULL

if TYPE_CHECKING:
    import lightgbm

SIZES = ((15, 200), (31, 100), (63, 200))  # leaves, and rows in each of them at least
FIXED = {
    "learning_rate": 0.05,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "verbosity": -1,
}
TREES, PATIENCE = 2000, 30


@dataclass(frozen=True)
class Columns:
    """A table as LightGBM likes it.

    Attributes:
        values: ``[row, column]``, NaN for null.
        names: of the columns.
        categories: names of the columns that are codes.
    """

    values: np.ndarray
    names: list[str]
    categories: list[str]

    def without(self, names: Collection[str]) -> Columns:
        """Leave some columns out."""
        kept = [name for name in self.names if name not in names]
        places = [self.names.index(name) for name in kept]
        return Columns(self.values[:, places], kept, [name for name in self.categories if name in kept])


def columns_of(encoder: TableEncoder, table: pa.Table) -> Columns:
    """Return categories as the encoder's codes, numbers as they are in the table, and lists as a 0/1 column a value."""
    encoded, layout = encoder.encode(table, labels=False), encoder.layout
    categories = [name for name, _ in layout.ids]
    codes = np.where(encoded.ids == NULL, np.nan, encoded.ids.astype(np.float64))
    numbers = [feature for feature in encoder.schema.features if isinstance(feature, Numeric)]
    values = [table[column_of(f)].cast(pa.float64()).to_numpy() for f in numbers]
    names, blocks = [*categories, *(f.name for f in numbers)], [codes, *(column[:, None] for column in values)]
    for i, column in enumerate(layout.lists):
        rows = layout.fields[column.field].rows
        blocks.append(indicators(encoded, i, rows))
        names += [f"{column.name}_{code}" for code in range(rows)]
    return Columns(np.concatenate(blocks, axis=1), names, categories)


@dataclass(frozen=True)
class Rows:
    """Training and validation rows, as columns and labels."""

    train: Columns
    valid: Columns
    train_labels: pa.Table
    valid_labels: pa.Table


def tuned(rows: Rows, task: Task, ids: Collection[str]) -> dict[str, Any]:
    """Return the options with the least validation loss: sizes of trees, and which columns are left out."""
    choices = [
        {"num_leaves": leaves, "min_child_samples": least, "without": list(without)}
        for without, (leaves, least) in product(((), ids), SIZES)
    ]
    return min(choices, key=lambda chosen: _loss(grown(rows, task, chosen, seed=0)))


def grown(rows: Rows, task: Task, chosen: dict[str, Any], seed: int) -> lightgbm.Booster:
    """Return a model with as many trees as are best on the validation rows."""
    import lightgbm  # an extra, which the rest of this file does without

    binary = isinstance(task, Binary)
    options = FIXED | {name: value for name, value in chosen.items() if name != "without"}
    options |= {"objective": "binary" if binary else "regression", "seed": seed, "num_threads": torch.get_num_threads()}
    train, valid = (part.without(chosen["without"]) for part in (rows.train, rows.valid))
    labels = [part[column_of(task)].to_numpy() for part in (rows.train_labels, rows.valid_labels)]
    learnt = lightgbm.Dataset(train.values, labels[0], feature_name=train.names, categorical_feature=train.categories)
    held_out = learnt.create_valid(valid.values, labels[1])
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    return lightgbm.train(options, learnt, TREES, valid_sets=[held_out], callbacks=[stop])


def _loss(booster: lightgbm.Booster) -> float:
    (losses,) = booster.best_score.values()
    (loss,) = losses.values()
    return loss
