"""Ways of modelling all tasks of a table, each judged by every task's main metric on the test rows."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch

import gatewise as gw
from gatewise.analysis import COMMON, control_of, summary_of
from gatewise.declare import DEFAULT_MODEL
from gatewise.jobs import Tables, tuned_trees
from gatewise.tasks import Predicted
from tables import peers
from tables.table import BenchmarkTable, Parts, labelled

Scores = dict[str, float]
"""By output, the main metric of its kind: without unit, greater is better."""
TREES = "LightGBM"
"""The contestant that all others are compared with."""


class Output(NamedTuple):
    """What was predicted of an output's test rows, those without a label left out.

    Attributes:
        metric: the name of the main metric.
        score: its value.
        labels, predictions: ``[row]``.
    """

    metric: str
    score: float
    labels: np.ndarray
    predictions: np.ndarray


@dataclass(frozen=True)
class Judged:
    """What a contestant reached on a table.

    Attributes:
        outputs: by name.
        seconds: CPU seconds of training.
        remark: what to know about the training, such as its best epoch.
    """

    outputs: Mapping[str, Output]
    seconds: float
    remark: str = ""

    @property
    def scores(self) -> Scores:
        """The main metric by output."""
        return {name: output.score for name, output in self.outputs.items()}


Contestant = Callable[[BenchmarkTable, Parts, int], Judged]


def outputs_of(predicted: Predicted) -> dict[str, Output]:
    """Return the outputs that have predictions; NaN stands for none."""
    found = {}
    for name, judged in predicted.judged().items():
        known = ~judged.labels.isnan()
        labels, predictions = judged.labels[known], judged.predictions[known]
        if not predictions.isnan().any():
            metric = summary_of(judged.task, name)
            score = float(metric.compute(labels, predictions) or 0.0)
            found[name] = Output(metric.name, score, labels.float().numpy(), predictions.float().numpy())
    return found


def ranker(**options: Any) -> Contestant:
    """Return the contestant that is a ranker with some options."""

    def run(table: BenchmarkTable, parts: Parts, seed: int) -> Judged:
        model = options.get("model", DEFAULT_MODEL)
        training = {name: value for name, value in options.items() if name != "model"}
        made = gw.Ranker(table.schema, model, seed=seed, **training)
        started = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made.fit(parts.train, parts.valid)
        seconds = time.process_time() - started
        best = next(record.epoch for record in reversed(made.history) if record.best)
        outputs = outputs_of(made.scorer.predicted(parts.test))
        return Judged(outputs, seconds, f"epoch {best} of {len(made.history)}")

    return run


def without(**options: Any) -> Contestant:
    """Return the default less one of its parts: options of the ranker or, by name, of its model at other values.

    Args:
        **options: an option that the default model has is the model's, any other the training's.
    """
    model = {name: value for name, value in options.items() if hasattr(DEFAULT_MODEL, name)}
    training = {name: value for name, value in options.items() if name not in model}
    return ranker(model=replace(DEFAULT_MODEL, **model), **training)


def alone(**options: Any) -> Contestant:
    """Return the contestant that has a model of its own for every task, with the parts of the default."""

    def run(table: BenchmarkTable, parts: Parts, seed: int) -> Judged:
        outputs, seconds = dict[str, Output](), 0.0
        for task in table.schema.tasks:
            own = BenchmarkTable(table.schema.only(task.name), table.rows, table.time, table.group)
            found = ranker(model=control_of(gw.SingleTask, DEFAULT_MODEL), **options)(own, parts, seed)
            outputs |= found.outputs
            seconds += found.seconds
        return Judged(outputs, seconds)

    return run


def trees(table: BenchmarkTable, parts: Parts, seed: int) -> Judged:
    """LightGBM per task, its size chosen on the validation rows."""
    started = time.process_time()
    tables = Tables(*parts)
    learnt = tuned_trees(table.schema, tables, seed).learn(seed, tables)
    seconds = time.process_time() - started
    tasks, (*_, labels) = labelled(table.schema, parts)
    columns = {name: torch.from_numpy(np.ascontiguousarray(column)) for name, column in learnt.columns.items()}
    return Judged(outputs_of(Predicted(tasks, columns, labels)), seconds)


def peer(learner: peers.Learner) -> Contestant:
    """Return the contestant that has one model of another library for every output."""

    def run(table: BenchmarkTable, parts: Parts, seed: int) -> Judged:
        started = time.process_time()
        tasks, labels = labelled(table.schema, parts)
        predictions, remark = peers.learn(learner, table.schema, parts, tasks, labels, seed)
        seconds = time.process_time() - started
        nothing = np.full(parts.test.num_rows, np.nan)
        columns = {name: predictions.get(name, nothing) for task in tasks for name in task.columns}
        predicted = Predicted(tasks, {name: torch.from_numpy(column) for name, column in columns.items()}, labels[-1])
        return Judged(outputs_of(predicted), seconds, remark)

    return run


CONTESTANTS: dict[str, Contestant] = {
    "default": ranker(),
    "shared bottom": ranker(model=control_of(gw.SharedBottom, DEFAULT_MODEL)),
    "single task": alone(),
    TREES: trees,
}
"""Those that run on all tables."""
PEERS: dict[str, Contestant] = {"RealMLP": peer(peers.real_mlp), "TabM": peer(peers.tabm)}
"""Those that run on small tables only, as their time on a CPU is long."""
FIXED: dict[str, Any] = {"epochs": 10, "batch_size": 1024, "patience": 3}
ABLATIONS: dict[str, Contestant] = {
    "shared experts only": ranker(model=gw.MMoE(experts=4, **{name: getattr(DEFAULT_MODEL, name) for name in COMMON})),
    "no id dropout": without(id_dropout=0.0),
    "one member": without(members=1),
    "plain numbers": without(numbers=None),
    "no dropout": without(dropout=0.0),
    "10 epochs of 1,024": without(**FIXED),
    "textbook": ranker(model=gw.MMoE(), **FIXED),
}
"""The default less each of its parts; a line here makes it a name for ``--contestants``."""
OTHERS: dict[str, Contestant] = {"moving average": ranker(ema=0.99)}
"""The default with something else, run where it is named."""
NEEDS: dict[str, tuple[str, ...]] = {TREES: ("lightgbm",), "RealMLP": ("pytabkit",), "TabM": ("tabm",)}
"""The packages without which a contestant is left out."""
