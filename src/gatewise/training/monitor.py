"""What decides the best epoch, and when to stop."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from gatewise.errors import DeclarationError, GatewiseWarning, TrainingError, did_you_mean, shown
from gatewise.metrics import GroupMetric, Metric
from gatewise.tasks import Metrics, Task

MEAN = "mean"


class Monitor:
    """Reads one score, greater is better, out of all tasks' metrics.

    Args:
        name: ``prediction.metric``, such as ``click.auc``, or ``mean``: the mean over tasks of each kind's unit-free
            metric, such as AUC or R2; of a step of a funnel that all steps are taken.
        tasks: the tasks that the metrics come from.

    Raises:
        DeclarationError: no such task or metric, or a metric of which neither side is better.
    """

    def __init__(self, name: str, tasks: list[Task]) -> None:
        self.name = name
        self.tasks = tasks
        self._sign = 1.0
        if name == MEAN:
            return
        self._output, _, self._metric = name.rpartition(".")
        known = {output: task for task in tasks for output in task.outputs}
        if self._output not in known:
            hint = did_you_mean(self._output, known)
            raise DeclarationError(f"monitor {name!r}: no task {self._output!r} (tasks: {shown(known)}){hint}")
        task = known[self._output]
        known_metrics: list[Metric | GroupMetric] = [*task.metrics_of(self._output), *task.group_metrics]
        metrics = {metric.name: metric for metric in known_metrics}
        if self._metric not in metrics:
            hint = did_you_mean(self._metric, metrics)
            raise DeclarationError(f"monitor {name!r}: no metric {self._metric!r} (metrics: {shown(metrics)}){hint}")
        greater = metrics[self._metric].greater_is_better
        if greater is None:
            raise DeclarationError(f"monitor {name!r}: of two {self._metric} values neither is better; take another")
        self._sign = 1.0 if greater else -1.0

    def score(self, metrics: Metrics) -> float:
        """Return the score; tasks whose metric is undefined are left out of a mean.

        Raises:
            TrainingError: what is monitored is undefined on the validation table.
        """
        defined = [value for value in self._values(metrics).values() if value is not None]
        if not defined:
            raise TrainingError(
                f"monitor {self.name!r} is undefined on the validation table (no labels, or all of one value)"
            )
        return self._sign * sum(defined) / len(defined)

    def check(self, metrics: Metrics) -> None:
        """Look at a model's metrics before it is trained.

        Raises:
            TrainingError: what is monitored is undefined on the validation table.

        Warns:
            GatewiseWarning: it is undefined for some tasks of a mean.
        """
        self.score(metrics)
        left_out = [name for name, value in self._values(metrics).items() if value is None]
        if left_out:
            why = "undefined on the validation table (no labels, or all of one value)"
            warnings.warn(
                f"monitor {self.name!r}: {shown(left_out)} {why}, and left out", GatewiseWarning, stacklevel=3
            )

    def _values(self, metrics: Metrics) -> dict[str, float | None]:
        """Return what is monitored, by its name."""
        if self.name != MEAN:
            return {self.name: metrics[self._output][self._metric]}
        watched = [(task.outputs[-1], task.summary.name) for task in self.tasks]
        return {f"{output}.{metric}": metrics[output][metric] for output, metric in watched}


@dataclass
class Stopping:
    """Remembers the best epoch and says when patience is used up.

    Attributes:
        patience: epochs without improvement that are tolerated; None: never stop early.
        min_delta: what ends the waiting must be better by more than this; the best epoch is the best by any margin.
        best_score: the best score so far.
        best_epoch: its epoch, counted from 1; 0 before the first.
        waiting_since: the score that ended the last waiting.
        waited: epochs since then.
    """

    patience: int | None = None
    min_delta: float = 0.0
    best_score: float = float("-inf")
    best_epoch: int = 0
    waiting_since: float = float("-inf")
    waited: int = 0

    def improved(self, epoch: int, score: float) -> bool:
        """Take a new score and return whether it is the best so far."""
        if score > self.waiting_since + self.min_delta:
            self.waiting_since, self.waited = score, 0
        else:
            self.waited += 1
        if score <= self.best_score:
            return False
        self.best_score, self.best_epoch = score, epoch
        return True

    @property
    def exhausted(self) -> bool:
        """Whether there is no point in another epoch."""
        return self.patience is not None and self.waited >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        return {name: getattr(self, name) for name in STATE}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state."""
        for name in STATE:
            setattr(self, name, state[name])


STATE = ("best_score", "best_epoch", "waiting_since", "waited")
