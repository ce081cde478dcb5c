"""Metrics of tables that come piece by piece and are never held whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gatewise.analysis.slices import metrics_by_name
from gatewise.metrics import Moments, ScoreHistogram
from gatewise.tasks import Metrics, Predicted, Task

BINNED: Mapping[str, Callable[[ScoreHistogram], float | None]] = {
    "auc": ScoreHistogram.auc,
    "log_loss": ScoreHistogram.log_loss,
    "pcoc": ScoreHistogram.pcoc,
    "normalised_entropy": ScoreHistogram.normalised_entropy,
    "ece": ScoreHistogram.ece,
}
SUMMED: Mapping[str, Callable[[Moments], float | None]] = {
    "rmse": Moments.rmse,
    "mae": Moments.mae,
    "r2": Moments.r2,
    # the mean squared error of a probability
    "brier": lambda moments: None if (rmse := moments.rmse()) is None else rmse * rmse,
}


@dataclass(frozen=True)
class Streamed:
    """What is known of a table that went by.

    Attributes:
        metrics: of every output, those that follow from sums.
        left_out: of every output, the names of those that need all rows at once.
        rows: how many rows went by.
    """

    metrics: Metrics
    left_out: dict[str, tuple[str, ...]]
    rows: int


class StreamedMetrics:
    """Sums over the rows that went by, from which many metrics follow.

    AUC and ECE hold rows of nearly the same score for tied, see :class:`gatewise.metrics.ScoreHistogram`; the others
    are those of the rows.

    Args:
        tasks: whose outputs are judged.
        centres: for each task a number near its labels, such as their mean; see :class:`gatewise.metrics.Moments`.
    """

    def __init__(self, tasks: Sequence[Task], centres: Mapping[str, float]) -> None:
        self._rows = 0
        self._names: dict[str, list[str]] = {}
        self._histograms: dict[str, ScoreHistogram] = {}
        self._moments: dict[str, Moments] = {}
        for task in tasks:
            for output in task.outputs:
                names = self._names[output] = list(metrics_by_name(task, output))
                # what is judged by several columns has no sums here
                if output in task.columns:
                    self._prepare(output, names, centres.get(task.name, 0.0))

    def _prepare(self, output: str, names: Sequence[str], centre: float) -> None:
        if any(name in BINNED for name in names):
            self._histograms[output] = ScoreHistogram()
        if any(name in SUMMED for name in names):
            self._moments[output] = Moments(centre)

    def update(self, predicted: Predicted) -> None:
        """Add rows."""
        self._rows += len(predicted)
        for output, judged in predicted.judged().items():
            known = ~judged.labels.isnan()
            for sums in (self._histograms.get(output), self._moments.get(output)):
                if sums is not None:
                    sums.update(judged.labels[known], judged.predictions[known])

    def result(self) -> Streamed:
        """Return the metrics of all rows so far."""
        metrics = {output: self._known(output, names) for output, names in self._names.items()}
        left_out = {
            output: tuple(name for name in names if name not in metrics[output])
            for output, names in self._names.items()
        }
        return Streamed(metrics, left_out, self._rows)

    def _known(self, output: str, names: Sequence[str]) -> dict[str, float | None]:
        found: dict[str, float | None] = {}
        for name in names:
            if name in BINNED and output in self._histograms:
                found[name] = BINNED[name](self._histograms[output])
            elif name in SUMMED and output in self._moments:
                found[name] = SUMMED[name](self._moments[output])
        return found
