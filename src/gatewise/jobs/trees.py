"""Gradient-boosted trees, a model a task, on the features as the encoder gives them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gatewise.assembly import build_tasks, to_tensors
from gatewise.data import EncodedTable, TableEncoder, read_table
from gatewise.declare import Binary, Regression, Schema, to_dict
from gatewise.errors import DeclarationError, MissingExtraError, TrainingError
from gatewise.jobs.contestants import SCORED, Cost, Learnt, median_seconds
from gatewise.jobs.tables import Tables
from gatewise.layout import NULL
from gatewise.tasks.together import in_sample

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
TREES, PATIENCE, WITHOUT_VALIDATION = 2000, 30, 200
"""Trees at most, how many may bring nothing before it stops, and how many there are where nothing stops it."""
LONGEST = 256
"""Lists of more distinct values are left out: each value is a column."""


Labelled = tuple[np.ndarray, dict[str, np.ndarray]]
"""Columns ``[row, column]`` and, by task, labels ``[row]``, NaN outside its sample."""


@dataclass(frozen=True)
class Trees:
    """LightGBM, untuned: as many trees as are best on the validation rows.

    It reads codes as categories, NaN for null, numbers and vectors as encoded, and a 0/1 column for each value of a
    list. Texts and lists of more than 256 distinct values are left out.
    """

    schema: Schema
    name: str = "LightGBM"

    def check(self) -> None:
        """Refuse what trees cannot learn, before anything is trained.

        Raises:
            MissingExtraError: LightGBM is not installed.
            DeclarationError: a task is of another kind than binary and regression, or a step of a funnel.
        """
        try:
            import lightgbm  # noqa: F401
        except ImportError:
            raise MissingExtraError("peers", "baseline lightgbm") from None
        for task in self.schema.tasks:
            if not isinstance(task, (Binary, Regression)) or getattr(task, "after", None) is not None:
                kind = task.kind if not isinstance(task, Binary) else "a step of a funnel"
                raise DeclarationError(
                    f"baseline lightgbm: expected binary and regression tasks, and task {task.name!r} is {kind}"
                )

    def declared(self) -> Any:  # noqa: D102
        return [to_dict(self.schema), OPTIONS, TREES, PATIENCE, WITHOUT_VALIDATION]

    def learn(self, seed: int, tables: Tables) -> Learnt:  # noqa: D102
        started = time.perf_counter()
        encoder, train = TableEncoder.fit(self.schema, tables.train)
        valid = None if tables.valid is None else encoder.encode(tables.valid)
        rows, held_out = self._labelled(encoder, train), None if valid is None else self._labelled(encoder, valid)
        models = {
            task.name: _grown(task.name, isinstance(task, Binary), rows, held_out, categories(encoder), seed)
            for task in self.schema.tasks
        }
        seconds = time.perf_counter() - started

        def predict(source: Any) -> dict[str, np.ndarray]:
            values = columns(encoder, encoder.encode(source, labels=False))
            return {name: np.asarray(model.predict(values)) for name, model in models.items()}

        assert tables.test is not None
        some = read_table(tables.test, types=encoder.column_types()).slice(0, SCORED)
        cost = Cost(None, seconds, None, median_seconds(lambda: predict(some)))
        return Learnt(predict(tables.test), cost)

    def _labelled(self, encoder: TableEncoder, encoded: EncodedTable) -> Labelled:
        tasks = build_tasks(self.schema, encoder.statistics)
        known = in_sample(tasks, to_tensors(encoded, len(tasks)).labels)
        return columns(encoder, encoded), {name: labels.numpy() for name, labels in known.items()}


def _grown(
    task: str, binary: bool, rows: Labelled, held_out: Labelled | None, categories: list[int], seed: int
) -> lightgbm.Booster:
    import lightgbm

    def labelled(part: Labelled) -> tuple[np.ndarray, np.ndarray]:
        known = ~np.isnan(part[1][task])
        return part[0][known], part[1][task][known]

    options = OPTIONS | {"objective": "binary" if binary else "regression", "seed": seed}
    options |= {"num_threads": torch.get_num_threads()}
    data = lightgbm.Dataset(*labelled(rows), categorical_feature=categories)
    try:
        if held_out is None:
            return lightgbm.train(options, data, WITHOUT_VALIDATION)
        stop = lightgbm.early_stopping(PATIENCE, verbose=False)
        return lightgbm.train(
            options, data, TREES, valid_sets=[data.create_valid(*labelled(held_out))], callbacks=[stop]
        )
    except lightgbm.basic.LightGBMError as error:
        raise TrainingError(f"task {task!r}: {error}") from None


def categories(encoder: TableEncoder) -> list[int]:
    """Return which of the columns are codes: the first ones."""
    return list(range(len(encoder.layout.ids)))


def columns(encoder: TableEncoder, encoded: EncodedTable) -> np.ndarray:
    """Return ``[row, column]`` float64: codes, NaN for null, then numbers, then a 0/1 column a list's value."""
    layout = encoder.layout
    codes = np.where(encoded.ids == NULL, np.nan, encoded.ids)
    sizes = [layout.fields[column.field].rows for column in layout.lists]
    lists = [indicators(encoded, i, size) for i, size in enumerate(sizes) if size <= LONGEST]
    return np.concatenate([codes, encoded.floats, *lists], axis=1, dtype=np.float64)


def indicators(encoded: EncodedTable, column: int, size: int) -> np.ndarray:
    """Return ``[row, code]``, 1 where the list holds the code."""
    ids = encoded.lists[column]
    found = np.zeros((len(encoded), size))
    found[np.repeat(np.arange(len(encoded)), np.diff(ids.offsets)), ids.values] = 1
    return found
