"""Gradient-boosted trees, one model per task, on the encoded features."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from gatewise.assembly import build_tasks, to_tensors
from gatewise.data import EncodedTable, TableEncoder, needed_columns, read_needed
from gatewise.declare import Binary, Duration, Schema, to_dict
from gatewise.errors import DeclarationError, MissingExtraError, TrainingError
from gatewise.jobs.contestants import SCORED, Cost, Learnt, median_seconds
from gatewise.jobs.tables import Tables
from gatewise.jobs.tree_objectives import columns_of, learnt_as, objective_of, predicted_from
from gatewise.layout import NULL
from gatewise.tasks import DurationTask, Task, in_sample

if TYPE_CHECKING:
    import lightgbm

OPTIONS = {
    "learning_rate": 0.05,
    "num_leaves": 31,
    "feature_fraction": 0.8,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "verbosity": -1,
    "deterministic": True,
    "force_row_wise": True,
}
SIZES = (
    {"num_leaves": 15, "min_child_samples": 200},
    {"num_leaves": 31, "min_child_samples": 100},
    {"num_leaves": 63, "min_child_samples": 200},
)
"""Sizes of trees that :func:`tuned_trees` tries."""
TREES, PATIENCE, WITHOUT_VALIDATION = 2000, 30, 200
"""Most trees, trees without improvement before training stops, and trees without validation rows."""
LONGEST = 256
"""Lists of more distinct values are left out, because each value is a column."""


class Labelled(NamedTuple):
    """Rows to learn from.

    Attributes:
        values: columns ``[row, column]``.
        labels: by output ``[row]``, NaN outside its sample.
        weights: by output ``[row]``, for how many rows each row stands; an output without: each for itself.
    """

    values: np.ndarray
    labels: Mapping[str, np.ndarray]
    weights: Mapping[str, np.ndarray] = {}


@dataclass(frozen=True)
class Trees:
    """LightGBM: as many trees as are best on the validation rows.

    It reads codes as categories, NaN for null, numbers and vectors as encoded, and a 0/1 column for each value of a
    list. Texts and lists of more than 256 distinct values are left out.

    Attributes:
        schema: features and tasks.
        name: the contestant's name in tables.
        options: options that differ from ``OPTIONS``, by task, see :func:`tuned_trees`.
    """

    schema: Schema
    name: str = "LightGBM"
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def check(self) -> None:
        """Refuse tasks that trees cannot learn, before the training.

        Raises:
            MissingExtraError: LightGBM is not installed.
            DeclarationError: a task is of a kind of one's own.
        """
        try:
            import lightgbm  # noqa: F401
        except ImportError:
            raise MissingExtraError("trees", "baseline lightgbm") from None
        for task in build_tasks(self.schema):
            for output in task.outputs:
                objective_of(task, output)

    def declared(self) -> Any:  # noqa: D102
        found = [to_dict(self.schema), OPTIONS, TREES, PATIENCE, WITHOUT_VALIDATION, self.options]
        # trees kept by a version that learnt otherwise do not count
        if any(isinstance(task, Duration) for task in self.schema.tasks):
            found.append("logarithms")
        if any(isinstance(task, Binary) and task.negatives_kept is not None for task in self.schema.tasks):
            found.append("negatives kept")
        return found

    def learn(self, seed: int, tables: Tables) -> Learnt:  # noqa: D102
        started = time.perf_counter()
        rows = LabelledRows.of(self.schema, tables)
        models = {
            output: _predictor(task, output, rows, self.options.get(task.name, {}), seed)
            for task in rows.tasks
            for output in task.outputs
        }
        encoder, seconds = rows.encoder, time.perf_counter() - started

        def predict(source: Any) -> dict[str, np.ndarray]:
            values = columns(encoder, encoder.encode(source, labels=False))
            found = {output: model(values) for output, model in models.items()}
            parts = [columns_of(task, {output: found[output] for output in task.outputs}) for task in rows.tasks]
            return {name: column for part in parts for name, column in part.items()}

        assert tables.test is not None
        some = read_needed(tables.test, needed_columns(encoder.schema), encoder.column_types()).slice(0, SCORED)
        cost = Cost(None, seconds, None, median_seconds(lambda: predict(some)))
        return Learnt(predict(tables.test), cost)


@dataclass(frozen=True)
class LabelledRows:
    """The encoded rows that trees learn from.

    Attributes:
        encoder: fitted on the training rows.
        tasks: the tasks, with the statistics of the training rows.
        train: columns of the training rows, and by output their labels.
        valid: columns and labels of the validation rows, if any.
    """

    encoder: TableEncoder
    tasks: list[Task]
    train: Labelled
    valid: Labelled | None

    @classmethod
    def of(cls, schema: Schema, tables: Tables) -> LabelledRows:
        """Return the encoded tables of a schema."""
        encoder, train = TableEncoder.fit(schema, tables.train, tables.moment(schema, tables.train))
        tasks = build_tasks(schema, encoder.statistics)

        def labelled(encoded: EncodedTable) -> Labelled:
            known = in_sample(tasks, to_tensors(encoded, sum(task.num_labels for task in tasks)).labels)
            judged = {name: labels.numpy() for task in tasks for name, labels in task.judged(known).items()}
            weights = {name: each.numpy() for task in tasks for name, each in task.judged_weights(known).items()}
            return Labelled(columns(encoder, encoded), judged, weights)

        if tables.valid is None:
            return cls(encoder, tasks, labelled(train), None)
        valid = encoder.encode(tables.valid, as_of=tables.moment(schema, tables.valid))
        return cls(encoder, tasks, labelled(train), labelled(valid))


def tuned_trees(schema: Schema, tables: Tables, seed: int = 0) -> Trees:
    """Return trees with the size of ``SIZES`` of least validation loss, per task.

    Raises:
        DeclarationError: there are no validation rows.
    """
    if tables.valid is None:
        raise DeclarationError("tuned_trees: the validation rows decide, and the data has none")
    rows = LabelledRows.of(schema, tables)

    def loss(task: Task, size: Mapping[str, Any]) -> float:
        (losses,) = _grown(task, task.outputs[-1], rows, size, seed).best_score.values()
        (loss,) = losses.values()
        return loss

    return Trees(schema, options={task.name: min(SIZES, key=partial(loss, task)) for task in rows.tasks})


def _predictor(
    task: Task, output: str, rows: LabelledRows, changed: Mapping[str, Any], seed: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function from columns to an output's predictions, after growing its trees."""
    booster = _grown(task, output, rows, changed, seed)
    known = ~np.isnan(rows.train.labels[output])
    values, labels = rows.train.values[known], rows.train.labels[output][known]
    # only a prediction of logarithms looks at the training rows again
    learnt = np.asarray(booster.predict(values)) if isinstance(task, DurationTask) else labels
    return lambda some: predicted_from(task, np.asarray(booster.predict(some)), learnt, labels)


def _grown(task: Task, output: str, rows: LabelledRows, changed: Mapping[str, Any], seed: int) -> lightgbm.Booster:
    import lightgbm

    def sample(part: Labelled) -> dict[str, Any]:
        """Return columns, labels and, where rows stand for several, weights of the rows in the output's sample."""
        known = ~np.isnan(part.labels[output])
        weights = {"weight": part.weights[output][known]} if output in part.weights else {}
        return {"data": part.values[known], "label": learnt_as(task, part.labels[output][known]), **weights}

    options = {**OPTIONS, **objective_of(task, output), "seed": seed, "num_threads": torch.get_num_threads(), **changed}
    data = lightgbm.Dataset(**sample(rows.train), categorical_feature=categories(rows.encoder))
    try:
        if rows.valid is None:
            return lightgbm.train(options, data, WITHOUT_VALIDATION)
        stop = lightgbm.early_stopping(PATIENCE, verbose=False)
        return lightgbm.train(
            options, data, TREES, valid_sets=[data.create_valid(**sample(rows.valid))], callbacks=[stop]
        )
    except lightgbm.basic.LightGBMError as error:
        raise TrainingError(f"task {task.name!r}: {error}") from None


def categories(encoder: TableEncoder) -> list[int]:
    """Return the positions of the columns with codes, which come first."""
    return list(range(len(encoder.layout.ids)))


def columns(encoder: TableEncoder, encoded: EncodedTable) -> np.ndarray:
    """Return ``[row, column]`` float64: codes, NaN for null, then numbers, then one 0/1 column per value of a list."""
    layout = encoder.layout
    codes = np.where(encoded.ids == NULL, np.nan, encoded.ids)
    sizes = [layout.fields[column.field].rows for column in layout.lists]
    lists = [indicators(encoded, i, size) for i, size in enumerate(sizes) if size <= LONGEST]
    return np.concatenate([codes, encoded.floats, *lists], axis=1, dtype=np.float64)


def indicators(encoded: EncodedTable, column: int, size: int) -> np.ndarray:
    """Return indicators ``[row, code]``, 1 if the row's list holds the code."""
    ids = encoded.lists[column]
    found = np.zeros((len(encoded), size))
    found[np.repeat(np.arange(len(encoded)), np.diff(ids.offsets)), ids.values] = 1
    return found
