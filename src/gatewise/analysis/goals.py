"""What one order of the rows is to be good at: metrics of several labels, all judged on the same fused score."""

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
from gatewise.tasks import Predicted, Task

METRICS: Mapping[str, Metric | GroupMetric] = {
    metric.name.partition("@")[0]: metric for metric in (AUC, PR_AUC, SPEARMAN, GINI, GAUC, NDCG, MRR, HIT_RATE)
}
"""Metrics of an order, by their names without places; of all of them greater is better."""
AT_PLACES = {"ndcg": ndcg_at_k, "hit_rate": hit_rate_at_k}
"""Those of the first places, 10 where it is not said."""

Judge = Callable[[Tensor], list[float | None]]
"""Gives the value of every goal for fused scores ``[row]``; None where it is undefined."""


@dataclass(frozen=True)
class Goal:
    """A metric of an order, and the output whose labels it is judged by.

    Attributes:
        metric: one of :data:`METRICS`, perhaps at other places.
        output: as it stands in the results of ``evaluate``.
    """

    metric: Metric | GroupMetric
    output: str

    @override
    def __str__(self) -> str:
        return f"{self.metric.name}:{self.output}"

    @classmethod
    def parse(cls, text: str, tasks: Sequence[Task], *, grouped: bool) -> Goal:
        """Read a goal such as ``gauc:click`` or ``ndcg@5:purchase``.

        Args:
            text: metric and output; a task stands for its last output.
            tasks: whose outputs there are.
            grouped: whether the schema has a group.

        Raises:
            DeclarationError: no such metric or output, or the metric needs groups and there are none.
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
    """Return what judges fused scores of these rows.

    Raises:
        TableError: a goal's labels are not such as its metric takes; names the goal.
    """
    judged = predicted.judged()
    ways = [_judge(goal, judged[goal.output].labels, predicted.groups) for goal in goals]
    return lambda fused: [way(fused) for way in ways]


def _judge(goal: Goal, labels: Tensor, groups: Tensor | None) -> Callable[[Tensor], float | None]:
    known = ~labels.isnan()
    within: list[Tensor] = []
    if isinstance(goal.metric, GroupMetric):
        assert groups is not None
        known = known & (groups >= 0)
        within = [groups[known]]
    rows, wanted = known.nonzero()[:, 0], labels[known]

    def value(fused: Tensor) -> float | None:
        try:
            found = goal.metric.compute(wanted, fused.index_select(0, rows), *within)
        except ShapeError as error:
            raise TableError(f"goal '{goal}': {error}") from None
        return found.value if isinstance(found, tuple) else found

    return value
