"""Metrics of yes or no at a threshold: accuracy, precision, recall and F1, and the sums from which they follow."""

from __future__ import annotations

from functools import cache
from typing import ClassVar, Self

import torch
from torch import Tensor

from gatewise.errors import ShapeError
from gatewise.metrics.checks import finite, probability_rows

HALF = 0.5
"""The threshold where none is named."""


class Confusion:
    r"""The weights of four kinds of rows, from which accuracy, precision, recall and F1 follow.

    A row with prediction p is called positive if :math:`p \ge t`. Only :attr:`sums` is kept, and the sums of parts
    add up to the sums of the whole: over several processes, ``torch.distributed.all_reduce(c.sums)`` merges them.
    :func:`confusion_at` returns the class of another threshold.

    Args:
        device: Where the sums are kept; rows may come from other devices.

    Attributes:
        threshold: t.
        sums: ``[4]``, float64: true positives, false positives, false negatives, true negatives.

    Example:
        >>> import torch
        >>> found = Confusion()
        >>> found.update(torch.tensor([1.0, 0.0, 1.0]), torch.tensor([0.9, 0.8, 0.2]))
        >>> found.precision(), found.recall(), found.f1()
        (0.5, 0.5, 0.5)
    """

    threshold: ClassVar[float] = HALF

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.sums = torch.zeros(4, dtype=torch.float64, device=device)

    @classmethod
    def empty(cls, centre: float = 0.0, device: torch.device | str = "cpu") -> Self:  # noqa: ARG003
        """Return the sums of no rows; ``centre`` is not used."""
        return cls(device)

    def update(self, targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> None:
        """Add rows; all are ``[row]``, as in :func:`gatewise.metrics.log_loss`.

        Raises:
            ShapeError: As :func:`gatewise.metrics.log_loss`; then no row is added.
        """
        self.add("Confusion", targets, predictions, weights)

    def add(self, metric: str, targets: Tensor, predictions: Tensor, weights: Tensor | None) -> None:
        """Add rows as :meth:`update` does; errors name the metric."""
        rows = probability_rows(metric, targets, predictions, weights)
        # in the precision of the predictions: a float32 prediction of 0.3 is at the threshold 0.3
        threshold = torch.tensor(self.threshold, dtype=predictions.dtype).double().item()
        called, true = (rows.predictions >= threshold).double(), rows.targets
        kinds = torch.stack([called * true, called * (1 - true), (1 - called) * true, (1 - called) * (1 - true)])
        self.sums += (kinds * rows.weights).sum(1).to(self.sums.device)

    def merge(self, other: Confusion) -> None:
        """Add the rows of other sums with the same threshold.

        Raises:
            ShapeError: The thresholds differ.
        """
        if self.threshold != other.threshold:
            raise ShapeError(f"merge: expected sums at threshold {self.threshold:g}, found some at {other.threshold:g}")
        self.sums += other.sums.to(self.sums.device)

    def accuracy(self) -> float | None:
        """Return the share of rows called right; ``None`` with no rows."""
        right, _, _, rejected = self.sums
        return finite((right + rejected) / self.sums.sum())

    def precision(self) -> float | None:
        """Return the share of ones among the rows called positive; ``None`` if none is called so."""
        right, wrong, _, _ = self.sums
        return finite(right / (right + wrong))

    def recall(self) -> float | None:
        """Return the share of ones that are called positive; ``None`` without ones."""
        right, _, missed, _ = self.sums
        return finite(right / (right + missed))

    def f1(self) -> float | None:
        """Return the harmonic mean of precision and recall; ``None`` without ones if no row is called positive."""
        right, wrong, missed, _ = self.sums
        return finite(2 * right / (2 * right + wrong + missed))


@cache
def confusion_at(threshold: float) -> type[Confusion]:
    """Return the class of the sums at a threshold, one and the same for all callers."""
    if threshold == HALF:
        return Confusion
    return type("Confusion", (Confusion,), {"threshold": threshold, "__doc__": Confusion.__doc__})


def _summed(metric: str, targets: Tensor, predictions: Tensor, weights: Tensor | None, threshold: float) -> Confusion:
    found = confusion_at(threshold)()
    found.add(metric, targets, predictions, weights)
    return found


def binary_accuracy(
    targets: Tensor, predictions: Tensor, weights: Tensor | None = None, *, threshold: float = HALF
) -> float | None:
    r"""Return the share of rows called right at a threshold t.

    .. math::
        \mathrm{ACC} = \frac{\sum_i w_i \, [[p_i \ge t] = y_i]}{\sum_i w_i}

    Args:
        targets: ``[row]``, 0 or 1.
        predictions: ``[row]``, probabilities p.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.
        threshold: t.

    Returns:
        A number from 0 to 1, without unit. ``None`` (undefined) with no rows.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, or hold targets or predictions out of range.

    Example:
        >>> import torch
        >>> binary_accuracy(torch.tensor([1, 0, 0, 1]), torch.tensor([0.9, 0.6, 0.1, 0.5]))
        0.75
    """
    return _summed("accuracy", targets, predictions, weights, threshold).accuracy()


def precision(
    targets: Tensor, predictions: Tensor, weights: Tensor | None = None, *, threshold: float = HALF
) -> float | None:
    r"""Return the share of ones among the rows with a prediction of at least the threshold t.

    .. math::
        P = \frac{\sum_i w_i y_i [p_i \ge t]}{\sum_i w_i [p_i \ge t]}

    Args:
        targets: ``[row]``, 0 or 1.
        predictions: ``[row]``, probabilities p.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.
        threshold: t.

    Returns:
        A number from 0 to 1, without unit. ``None`` (undefined) if no prediction reaches the threshold.

    Raises:
        ShapeError: As :func:`binary_accuracy`.

    Example:
        >>> import torch
        >>> precision(torch.tensor([1, 0, 0, 1]), torch.tensor([0.9, 0.6, 0.1, 0.4]))
        0.5
    """
    return _summed("precision", targets, predictions, weights, threshold).precision()


def recall(
    targets: Tensor, predictions: Tensor, weights: Tensor | None = None, *, threshold: float = HALF
) -> float | None:
    r"""Return the share of ones whose prediction is at least the threshold t.

    .. math::
        R = \frac{\sum_i w_i y_i [p_i \ge t]}{\sum_i w_i y_i}

    Args:
        targets: ``[row]``, 0 or 1.
        predictions: ``[row]``, probabilities p.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.
        threshold: t.

    Returns:
        A number from 0 to 1, without unit. ``None`` (undefined) without ones.

    Raises:
        ShapeError: As :func:`binary_accuracy`.

    Example:
        >>> import torch
        >>> recall(torch.tensor([1, 0, 0, 1]), torch.tensor([0.9, 0.6, 0.1, 0.4]))
        0.5
    """
    return _summed("recall", targets, predictions, weights, threshold).recall()


def f1(targets: Tensor, predictions: Tensor, weights: Tensor | None = None, *, threshold: float = HALF) -> float | None:
    r"""Return the harmonic mean of precision P and recall R at a threshold.

    .. math::
        F_1 = \frac{2 P R}{P + R}

    Args:
        targets: ``[row]``, 0 or 1.
        predictions: ``[row]``, probabilities p.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.
        threshold: t.

    Returns:
        A number from 0 to 1, without unit; 0 if no one is found. ``None`` (undefined) without ones if no prediction
        reaches the threshold.

    Raises:
        ShapeError: As :func:`binary_accuracy`.

    Example:
        >>> import torch
        >>> f1(torch.tensor([1, 0, 0, 1]), torch.tensor([0.9, 0.6, 0.1, 0.4]))
        0.5
    """
    return _summed("f1", targets, predictions, weights, threshold).f1()
