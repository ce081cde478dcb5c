"""Ways of modelling all tasks of a table, each judged by every task's main metric on the test rows."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import gatewise as gw
from gatewise.analysis import summary_of
from gatewise.jobs import Tables, tuned_trees
from gatewise.tasks import Task
from tables.table import BenchmarkTable, Parts

Scores = dict[str, float]
"""By output, the main metric of its kind: without unit, greater is better."""


@dataclass(frozen=True)
class Judged:
    """What a contestant reached on a table.

    Attributes:
        scores: by output.
        seconds: CPU seconds of training.
        remark: what to know about the training, such as its best epoch.
    """

    scores: Scores
    seconds: float
    remark: str = ""


Contestant = Callable[[BenchmarkTable, Parts, int], Judged]


def _scores(tasks: list[Task], metrics: Mapping[str, Mapping[str, float | None]]) -> Scores:
    names = {output: summary_of(task, output).name for task in tasks for output in task.outputs}
    return {output: float(metrics[output][name] or 0.0) for output, name in names.items() if output in metrics}


def ranker(**options: Any) -> Contestant:
    """Return the contestant that is a ranker with some options."""

    def run(table: BenchmarkTable, parts: Parts, seed: int) -> Judged:
        model = options.get("model", gw.MMoE())
        training = {name: value for name, value in options.items() if name != "model"}
        made = gw.Ranker(table.schema, model, seed=seed, **training)
        started = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made.fit(parts.train, parts.valid)
        seconds = time.process_time() - started
        best = next(record.epoch for record in reversed(made.history) if record.best)
        scores = _scores(made.scorer.tasks, made.evaluate(parts.test))
        return Judged(scores, seconds, f"epoch {best} of {len(made.history)}")

    return run


def alone(**options: Any) -> Contestant:
    """Return the contestant that has a model of its own for every task."""

    def run(table: BenchmarkTable, parts: Parts, seed: int) -> Judged:
        scores, seconds = Scores(), 0.0
        for task in table.schema.tasks:
            own = BenchmarkTable(table.schema.only(task.name), table.rows, table.time, table.group)
            found = ranker(model=gw.SingleTask(), **options)(own, parts, seed)
            scores |= found.scores
            seconds += found.seconds
        return Judged(scores, seconds)

    return run


def trees(table: BenchmarkTable, parts: Parts, seed: int) -> Judged:
    """LightGBM per task, its size chosen on the validation rows."""
    import torch

    from gatewise.assembly import build_tasks, to_tensors
    from gatewise.data import TableEncoder
    from gatewise.tasks import Predicted

    started = time.process_time()
    tables = Tables(*parts)
    learnt = tuned_trees(table.schema, tables, seed).learn(seed, tables)
    seconds = time.process_time() - started
    encoder, _ = TableEncoder.fit(table.schema, parts.train)
    tasks = build_tasks(table.schema, encoder.statistics)
    labels = to_tensors(encoder.encode(parts.test), sum(task.num_labels for task in tasks)).labels
    columns = {name: torch.from_numpy(np.ascontiguousarray(column)) for name, column in learnt.columns.items()}
    return Judged(_scores(tasks, Predicted(tasks, columns, labels).evaluate()), seconds)


CONTESTANTS: dict[str, Contestant] = {
    "default": ranker(),
    "shared bottom": ranker(model=gw.SharedBottom()),
    "single task": alone(),
    "LightGBM": trees,
}
