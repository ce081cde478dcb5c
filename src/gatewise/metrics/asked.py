"""Metrics that are computed where a task asks for them by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gatewise.metrics.metric import FromSums, Metric
from gatewise.metrics.named import MAPE, MSE
from gatewise.metrics.thresholds import HALF, Confusion, binary_accuracy, confusion_at, f1, precision, recall

THRESHOLDED: dict[str, Callable[..., float | None]] = {
    "accuracy": binary_accuracy,
    "precision": precision,
    "recall": recall,
    "f1": f1,
}
"""Metrics of yes or no, by name."""
PLAIN = {metric.name: metric for metric in (MSE, MAPE)}


def metric_named(name: str) -> Metric:
    """Return a metric by the name in declarations: ``f1``, ``f1@0.3`` at another threshold than one half, ``mse``.

    Raises:
        KeyError: there is no such metric.

    Example:
        >>> import torch
        >>> metric_named("accuracy@0.3").compute(torch.tensor([1, 0]), torch.tensor([0.4, 0.2]))
        1.0
    """
    if name in PLAIN:
        return PLAIN[name]
    kind, _, written = name.partition("@")
    threshold = float(written) if written else HALF
    compute = THRESHOLDED[kind] if threshold == HALF else partial(THRESHOLDED[kind], threshold=threshold)
    read = getattr(Confusion, kind)
    return Metric(name, compute, greater_is_better=True, from_sums=FromSums(confusion_at(threshold), read))
