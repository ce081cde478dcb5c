"""Metrics of rows that come in parts."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from gatewise.errors import ShapeError
from gatewise.metrics.metric import FromSums, GroupMetric, Metric, Sums


class RunningMetrics:
    """Metrics of one prediction over batches, pieces of a table or processes, from sums, without keeping rows.

    Metrics that need all rows at once are left out. Metrics with the same kind of sums share one object.

    Args:
        metrics: The metrics of the prediction.
        centre: A number near the targets, such as the mean of the training labels; see
            :class:`gatewise.metrics.Moments`.
        device: Where the sums are kept; rows may come from other devices.

    Attributes:
        sums: One object per kind of sums; over several processes, ``all_reduce`` of each object's ``sums`` merges them.

    Example:
        >>> import torch
        >>> from gatewise.metrics import MAE, RMSE, SPEARMAN
        >>> running = RunningMetrics([RMSE, MAE, SPEARMAN])
        >>> running.update(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0]))
        >>> running.update(torch.tensor([3.0, 4.0]), torch.tensor([5.0, 4.0]))
        >>> running.values()
        {'rmse': 1.0, 'mae': 0.5}
    """

    def __init__(
        self, metrics: Iterable[Metric | GroupMetric], centre: float = 0.0, device: torch.device | str = "cpu"
    ) -> None:
        self._from_sums: dict[str, FromSums] = {
            metric.name: metric.from_sums
            for metric in metrics
            if isinstance(metric, Metric) and metric.from_sums is not None
        }
        kinds = dict.fromkeys(found.kind for found in self._from_sums.values())
        self.sums: dict[type[Sums], Sums] = {kind: kind.empty(centre, device) for kind in kinds}

    def update(self, targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> None:
        """Add rows; all are ``[row]``.

        Raises:
            ShapeError: As the metrics.
        """
        for sums in self.sums.values():
            sums.update(targets, predictions, weights)

    def merge(self, other: RunningMetrics) -> None:
        """Add the rows of another object with the same metrics.

        Raises:
            ShapeError: The other object has other metrics or another centre.
        """
        if self._from_sums != other._from_sums:
            expected, found = (", ".join(running._from_sums) for running in (self, other))
            raise ShapeError(f"merge: expected sums of {expected}, found those of {found}")
        for kind, sums in self.sums.items():
            sums.merge(other.sums[kind])

    def values(self) -> dict[str, float | None]:
        """Return the metrics of all rows so far, by name; ``None`` means undefined."""
        return {name: found.read(self.sums[found.kind]) for name, found in self._from_sums.items()}
