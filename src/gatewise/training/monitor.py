"""The score that decides the best epoch, and early stopping."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gatewise.errors import DeclarationError, GatewiseWarning, TrainingError, did_you_mean, shown
from gatewise.metrics import GroupMetric, Metric
from gatewise.tasks import Metrics, Task

MEAN = "mean"


class Monitor:
    """Computes one score, greater is better, from all tasks' metrics.

    Args:
        name: ``prediction.metric``, such as ``click.auc``, or ``mean``: the mean over tasks of a unit-free metric of
            each kind, such as AUC or R2; a step of a funnel counts by the probability of all steps. ``mean.log_loss``:
            the mean of this metric over the tasks that have it.
        tasks: the tasks that the metrics come from.

    Raises:
        DeclarationError: unknown task or metric, or a metric without a better direction.
    """

    def __init__(self, name: str, tasks: list[Task]) -> None:
        self.name = name
        self.tasks = tasks
        self._sign = 1.0
        if name == MEAN:
            return
        self._output, self._metric = split_name(name)
        known = {output: task for task in tasks for output in task.outputs}
        if self._output == MEAN and MEAN not in known:
            self._sign = self._of_mean()
            return
        if self._output not in known:
            hint = did_you_mean(self._output, known)
            raise DeclarationError(f"monitor {name!r}: no task {self._output!r} (tasks: {shown(known)}){hint}")
        self._sign = self._direction(_metrics_of(known[self._output], self._output))

    def _of_mean(self) -> float:
        """Return the better direction of the metric whose mean is monitored."""
        return self._direction({k: v for task in self.tasks for k, v in _metrics_of(task, task.outputs[-1]).items()})

    def _direction(self, metrics: Mapping[str, Metric | GroupMetric]) -> float:
        """Return 1 if a greater value of the metric is better, else -1.

        Raises:
            DeclarationError: the metric is not among those given, or has no better direction.
        """
        if self._metric not in metrics:
            known, hint = shown(metrics), did_you_mean(self._metric, metrics)
            raise DeclarationError(f"monitor {self.name!r}: no metric {self._metric!r} (metrics: {known}){hint}")
        greater = metrics[self._metric].greater_is_better
        if greater is None:
            values = f"of two {self._metric} values neither is better"
            raise DeclarationError(f"monitor {self.name!r}: {values}; take another")
        return 1.0 if greater else -1.0

    @property
    def smaller_is_better(self) -> bool:
        """Whether the score is the negative metric."""
        return self._sign < 0

    def score(self, metrics: Metrics) -> float:
        """Return the score; a mean leaves out tasks whose metric is undefined.

        Raises:
            TrainingError: the monitored metric is undefined on the validation table.
        """
        defined = [value for value in self._values(metrics).values() if value is not None]
        if not defined:
            raise TrainingError(
                f"monitor {self.name!r} is undefined on the validation table (no labels, or all of one value)"
            )
        return self._sign * sum(defined) / len(defined)

    def check(self, metrics: Metrics) -> None:
        """Check the metrics of an untrained model.

        Raises:
            TrainingError: the monitored metric is undefined on the validation table.

        Warns:
            GatewiseWarning: the metric is undefined for some tasks of a mean.
        """
        self.score(metrics)
        left_out = [name for name, value in self._values(metrics).items() if value is None]
        if left_out:
            why = "undefined on the validation table (no labels, or all of one value)"
            warnings.warn(
                f"monitor {self.name!r}: {shown(left_out)} {why}, and left out", GatewiseWarning, stacklevel=3
            )

    def _values(self, metrics: Metrics) -> dict[str, float | None]:
        """Return the monitored metrics by name."""
        if self.name.startswith(f"{MEAN}.") and MEAN not in metrics:
            found = {task.outputs[-1]: metrics[task.outputs[-1]] for task in self.tasks}
            own = {output: values for output, values in found.items() if self._metric in values}
            return {f"{output}.{self._metric}": values[self._metric] for output, values in own.items()}
        if self.name != MEAN:
            return {self.name: metrics[self._output][self._metric]}
        watched = [(task.outputs[-1], task.summary.name) for task in self.tasks]
        return {f"{output}.{metric}": metrics[output][metric] for output, metric in watched}


def _metrics_of(task: Task, output: str) -> dict[str, Metric | GroupMetric]:
    known: list[Metric | GroupMetric] = [*task.metrics_of(output), *task.group_metrics]
    return {metric.name: metric for metric in known}


def split_name(name: str) -> tuple[str, str]:
    """Return prediction and metric of a name such as ``click.auc`` or ``click.f1@0.3``."""
    before, _, after = name.rpartition(".")
    if after.isdigit() and "@" in before:
        # the point is that of a threshold
        output, _, metric = before.rpartition(".")
        return output, f"{metric}.{after}"
    return before, after


@dataclass
class Stopping:
    """Early stopping: keeps the best epoch and counts epochs without improvement.

    Attributes:
        patience: number of tolerated epochs without improvement; None: never stop early.
        min_delta: smallest improvement that resets the count; the best epoch is the best by any margin.
        best_score: the best score so far.
        best_epoch: the epoch of the best score, counted from 1; 0 before the first epoch.
        waiting_since: the score at the last reset of the count.
        waited: epochs since the last reset.
    """

    patience: int | None = None
    min_delta: float = 0.0
    best_score: float = float("-inf")
    best_epoch: int = 0
    waiting_since: float = float("-inf")
    waited: int = 0

    def improved(self, epoch: int, score: float) -> bool:
        """Record the score of an epoch, and return whether it is the best so far."""
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
        """Whether patience is used up."""
        return self.patience is not None and self.waited >= self.patience

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint."""
        return {name: getattr(self, name) for name in STATE}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore a saved state."""
        for name in STATE:
            setattr(self, name, state[name])


STATE = ("best_score", "best_epoch", "waiting_since", "waited")
