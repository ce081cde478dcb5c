"""Metrics of tables that are read in pieces and never held in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gatewise.analysis.slices import metrics_by_name
from gatewise.metrics import RunningMetrics
from gatewise.tasks import Metrics, Predicted, Task


@dataclass(frozen=True)
class Streamed:
    """The metrics of a streamed table.

    Attributes:
        metrics: per output, the metrics that follow from sums.
        left_out: per output, the names of the metrics that need all rows at once.
        rows: the number of rows.
    """

    metrics: Metrics
    left_out: dict[str, tuple[str, ...]]
    rows: int


class StreamedMetrics:
    """Running sums over rows, from which many metrics follow.

    AUC and ECE treat nearly equal scores as ties, see :class:`gatewise.metrics.ScoreHistogram`; other metrics are
    exact.

    Args:
        tasks: the tasks to judge.
        centres: per task a number near its labels, such as their mean; see :class:`gatewise.metrics.Moments`.
    """

    def __init__(self, tasks: Sequence[Task], centres: Mapping[str, float]) -> None:
        self._rows = 0
        self._names = {output: tuple(metrics_by_name(task, output)) for task in tasks for output in task.outputs}
        self._running = {
            output: RunningMetrics(metrics_by_name(task, output).values(), centres.get(task.name, 0.0))
            for task in tasks
            for output in task.outputs
            # outputs judged by several columns have no running sums
            if output in task.columns
        }

    def update(self, predicted: Predicted) -> None:
        """Add the sums of more rows."""
        self._rows += len(predicted)
        for output, judged in predicted.judged().items():
            if output in self._running:
                known = ~judged.labels.isnan()
                self._running[output].update(judged.labels[known], judged.predictions[known], **judged.counted(known))

    def result(self) -> Streamed:
        """Return the metrics over all rows so far."""
        metrics = {output: self._running[output].values() if output in self._running else {} for output in self._names}
        left_out = {
            output: tuple(name for name in names if name not in metrics[output])
            for output, names in self._names.items()
        }
        return Streamed(metrics, left_out, self._rows)
