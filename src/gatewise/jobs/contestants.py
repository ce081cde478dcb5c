"""Contestants of a comparison: ways of modelling the tasks."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from gatewise.analysis import Epochs, epochs_of
from gatewise.data import needed_columns, read_needed, take_rows
from gatewise.declare import Options, Schema, to_dict
from gatewise.jobs.tables import Tables
from gatewise.progress import unspoken
from gatewise.ranker import Ranker
from gatewise.training import task_affinity

BATCHES = 8
"""Number of batches for the affinity of tasks."""
SCORED, REPEATS = 200, 15
"""Number of rows per scoring for the latency, and number of scorings."""


@dataclass(frozen=True)
class Cost:
    """The cost of a contestant.

    Attributes:
        parameters: of every model, outside the embeddings; None: not a neural model.
        seconds: of training all models, with encoding.
        rows_per_second: of training all models, one after the other; None: not trained in epochs.
        latency: the median seconds for scoring 200 raw rows by all models.
        epochs: how long every model was trained; empty: not trained in epochs, or no validation rows.
    """

    parameters: list[int] | None
    seconds: float
    rows_per_second: float | None
    latency: float
    epochs: list[Epochs] = field(default_factory=list)

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Cost:
        """Return a cost from plain values."""
        return cls(**{**kept, "epochs": [Epochs(**each) for each in kept.get("epochs", [])]})


@dataclass(frozen=True)
class Learnt:
    """The result of a contestant's training.

    Attributes:
        columns: predictions for the test rows, ``[row]`` by name.
        cost: the cost of the contestant.
        affinity: ``[task][task]``, the effect of a step on the first task on the loss of the second, see
            :func:`gatewise.training.task_affinity`; None if tasks share nothing.
    """

    columns: Mapping[str, np.ndarray]
    cost: Cost
    affinity: list[list[float | None]] | None = None


class Contestant(Protocol):
    """A way of modelling all tasks."""

    @property
    def name(self) -> str:
        """The name in tables and folders."""

    def declared(self) -> Any:
        """Return everything that the training depends on, except seed and rows, as JSON values."""

    def learn(self, seed: int, tables: Tables) -> Learnt:
        """Learn from the training rows, and predict the test rows."""


@dataclass(frozen=True)
class Part:
    """One model of a contestant.

    Attributes:
        schema: the features and tasks of the model.
        options: the model, its balance and training.
        judged: names of the tasks to judge; the model of a funnel's step has the steps before it, too.
    """

    schema: Schema
    options: Options
    judged: tuple[str, ...]

    def declared(self) -> Any:
        """Return schema and options as JSON values, without the seed."""
        options = to_dict(self.options)
        options["training"].pop("seed")
        # a fusion does not change predictions
        options.pop("fusion", None)
        return [to_dict(self.schema), options]

    def fitted(self, seed: int, tables: Tables) -> Ranker:
        """Return a ranker trained with a seed."""
        options = replace(self.options, training=replace(self.options.training, seed=seed))
        with unspoken():
            ranker = Ranker.from_options(self.schema, options)
            return ranker.fit(tables.train, tables.valid, progress=False, now=tables.now)

    def epochs(self, ranker: Ranker) -> Epochs | None:
        """Return how long the model was trained; None without validation rows."""
        return epochs_of(ranker.history, ranker.options.training.decided.epochs, self.judged)

    def predicted(self, ranker: Ranker, tables: Tables) -> dict[str, np.ndarray]:
        """Return the predictions for the judged tasks on the test rows, ``[row]`` by name."""
        found = ranker.scorer.predicted(tables.test).columns
        judged = [task for task in ranker.scorer.tasks if task.name in self.judged]
        return {name: found[name].numpy() for task in judged for name in task.columns}


@dataclass(frozen=True)
class Models:
    """A contestant of a single model, or of one model per task."""

    name: str
    parts: tuple[Part, ...]

    def declared(self) -> Any:  # noqa: D102
        return [part.declared() for part in self.parts]

    def learn(self, seed: int, tables: Tables) -> Learnt:  # noqa: D102
        started = time.perf_counter()
        rankers = [part.fitted(seed, tables) for part in self.parts]
        seconds = time.perf_counter() - started
        columns: dict[str, np.ndarray] = {}
        for part, ranker in zip(self.parts, rankers, strict=True):
            columns |= part.predicted(ranker, tables)
        rates = [statistics.fmean(record.rows_per_second for record in ranker.history) for ranker in rankers]
        encoder = rankers[0].scorer.encoder
        rows = read_needed(tables.test, needed_columns(encoder.schema), encoder.column_types()).slice(0, SCORED)
        cost = Cost(
            parameters=[ranker.scorer.model.num_parameters(embeddings=False) for ranker in rankers],
            seconds=seconds,
            rows_per_second=1 / sum(1 / rate for rate in rates),
            latency=median_seconds(lambda: [ranker.predict(rows) for ranker in rankers]),
            epochs=[each for part, ranker in zip(self.parts, rankers, strict=True) if (each := part.epochs(ranker))],
        )
        return Learnt(columns, cost, self._affinity(rankers[0], tables) if len(self.parts) == 1 else None)

    def _affinity(self, ranker: Ranker, tables: Tables) -> list[list[float | None]]:
        """Return the affinity of tasks ``[task][task]``, on an evenly spaced sample of the training rows."""
        scorer, size = ranker.scorer, ranker.options.training.decided.batch_size
        table = read_needed(tables.train, needed_columns(scorer.encoder.schema), scorer.encoder.column_types())
        count = min(BATCHES * size, table.num_rows)
        some = take_rows(table, np.linspace(0, table.num_rows - 1, count).astype(np.int64))
        found = task_affinity(scorer.model, scorer.tasks, scorer.tensors(scorer.encode(some)), batch_size=size)
        return [[None if math.isnan(value) else value for value in row] for row in found.tolist()]


def median_seconds(work: Callable[[], object]) -> float:
    """Return the median duration of some repeats of ``work``."""
    taken = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)
