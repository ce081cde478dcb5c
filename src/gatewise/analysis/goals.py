"""Goals of one order of the rows: metrics of several labels, all judged on the fused score."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from torch import Tensor
from typing_extensions import override

from gatewise.errors import DeclarationError, ShapeError, TableError, did_you_mean, shown
from gatewise.metrics import (
    AUC,
    GAUC,
    GINI,
    HIT_RATE,
    MRR,
    NDCG,
    PR_AUC,
    SPEARMAN,
    GroupMetric,
    Metric,
    hit_rate_at_k,
    ndcg_at_k,
)
from gatewise.tasks import Judged, Predicted, Task

METRICS: Mapping[str, Metric | GroupMetric] = {
    metric.name.partition("@")[0]: metric for metric in (AUC, PR_AUC, SPEARMAN, GINI, GAUC, NDCG, MRR, HIT_RATE)
}
"""Metrics of an order, by name without places; greater is better."""
AT_PLACES = {"ndcg": ndcg_at_k, "hit_rate": hit_rate_at_k}
"""Metrics of the first places, of which there are 10 by default."""

Judge = Callable[[Tensor], list[float | None]]
"""Returns the value of every goal for fused scores ``[row]``; None: undefined."""


@dataclass(frozen=True)
class Goal:
    """A metric of an order, and the output whose labels judge the order.

    Attributes:
        metric: one of :data:`METRICS`, possibly at another number of places.
        output: the name in the results of ``evaluate``.
    """

    metric: Metric | GroupMetric
    output: str

    @override
    def __str__(self) -> str:
        return f"{self.metric.name}:{self.output}"

    @classmethod
    def parse(cls, text: str, tasks: Sequence[Task], *, grouped: bool) -> Goal:
        """Return the goal of a text such as ``gauc:click`` or ``ndcg@5:purchase``.

        Args:
            text: metric and output; a task's name means its last output.
            tasks: the tasks of the model.
            grouped: whether the schema has a group.

        Raises:
            DeclarationError: the metric or output is unknown, or the metric needs groups and there are none.
        """
        name, colon, label = text.partition(":")
        if not colon or not label:
            raise DeclarationError(f"goal {text!r}: expected METRIC:TASK, such as gauc:{tasks[0].name}")
        metric = _metric(name, text)
        if isinstance(metric, GroupMetric) and not grouped:
            raise DeclarationError(f"goal {text!r}: {name} is judged within groups, and the schema has no 'group'")
        outputs = {output: output for task in tasks for output in task.outputs}
        known = {task.name: task.outputs[-1] for task in tasks} | outputs
        if label not in known:
            raise DeclarationError(f"goal {text!r}: {label!r} is no task{_hint(label, known, 'tasks')}")
        return cls(metric, known[label])


def _metric(name: str, text: str) -> Metric | GroupMetric:
    kind, at, places = name.partition("@")
    if kind not in METRICS:
        hint = _hint(kind, METRICS, "metrics of an order")
        raise DeclarationError(f"goal {text!r}: {kind!r} judges no order{hint}")
    metric = METRICS[kind]
    if not at:
        return metric
    if kind not in AT_PLACES or not re.fullmatch("[1-9][0-9]{0,5}", places):
        raise DeclarationError(f"goal {text!r}: expected {shown(AT_PLACES)} at so many places, such as ndcg@5")
    return GroupMetric(name, partial(AT_PLACES[kind], k=int(places)), greater_is_better=True)


def _hint(name: str, known: Mapping[str, object], what: str) -> str:
    return did_you_mean(name, known) or f" ({what}: {shown(known)})"


def judge_of(goals: Sequence[Goal], predicted: Predicted) -> Judge:
    """Return a function that judges fused scores of some rows.

    Raises:
        TableError: a goal's metric does not take its labels; names the goal.
    """
    judged = predicted.judged()
    ways = [_judge(goal, judged[goal.output], predicted.groups) for goal in goals]
    return lambda fused: [way(fused) for way in ways]


def _judge(goal: Goal, judged: Judged, groups: Tensor | None) -> Callable[[Tensor], float | None]:
    labels = judged.labels
    known = ~labels.isnan()
    within: list[Tensor] = []
    if isinstance(goal.metric, GroupMetric):
        assert groups is not None
        known = known & (groups >= 0)
        within = [groups[known]]
    counted = judged.counted(known)
    rows, wanted = known.nonzero()[:, 0], labels[known]

    def value(fused: Tensor) -> float | None:
        try:
            found = goal.metric.compute(wanted, fused.index_select(0, rows), *within, **counted)
        except ShapeError as error:
            raise TableError(f"goal '{goal}': {error}") from None
        return found.value if isinstance(found, tuple) else found

    return value
