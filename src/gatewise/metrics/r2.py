"""Coefficient of determination."""

from __future__ import annotations

from torch import Tensor

from gatewise.metrics.checks import finite, finite_rows, weighted_mean
from gatewise.metrics.metric import Metric


def r2(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the coefficient of determination: the share of the targets' variance that is explained.

    .. math::
        R^2 = 1 - \frac{\sum_i w_i (y_i - \hat y_i)^2}{\sum_i w_i (y_i - \bar y)^2}, \qquad
        \bar y = \frac{\sum_i w_i y_i}{\sum_i w_i}

    with targets y, predictions :math:`\hat y` and weights w (1 where none are given).

    Args:
        targets: ``[row]``, finite.
        predictions: ``[row]``, finite, in the unit of the targets.
        weights: ``[row]``, at least 0; a row of weight 0 does not count, whatever stands in it.

    Returns:
        A number of at most 1, without unit; 0 is what predicting the mean gives, and worse is negative.
        ``None`` (undefined) with fewer than two rows, with constant targets even where they are predicted
        perfectly, or where a sum does not fit into float64.

    Raises:
        ShapeError: The tensors differ in length, or hold NaN or infinity.

    Example:
        >>> import torch
        >>> r2(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 2.0, 4.0]))
        0.5
    """
    rows = finite_rows("r2", targets, predictions, weights)
    # Compared exactly: a variance of constant targets is often not 0 after rounding.
    if len(rows.targets) < 2 or rows.targets.min() == rows.targets.max():
        return None
    deviation = rows.targets - weighted_mean(rows.targets, rows.weights)  # [row]
    # Neither sum of squares then leaves float64 because of the targets' unit alone.
    spread = deviation.abs().max()
    unexplained = (((rows.targets - rows.predictions) / spread).square() * rows.weights).sum()
    total = ((deviation / spread).square() * rows.weights).sum()
    return finite(1 - unexplained / total)


R2 = Metric("r2", r2, greater_is_better=True)
