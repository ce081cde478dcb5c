"""Pinball loss of a predicted quantile."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.errors import ShapeError
from gatewise.metrics.checks import finite, finite_rows, weighted_mean
from gatewise.metrics.metric import Metric


def pinball(
    targets: Tensor, predictions: Tensor, weights: Tensor | None = None, *, quantile: float = 0.5
) -> float | None:
    r"""Return the mean pinball loss, which the quantile of the targets minimises.

    .. math::
        L_q = \frac{1}{\sum_i w_i} \sum_i w_i \max\left(q (y_i - \hat y_i), (q - 1) (y_i - \hat y_i)\right)

    with targets y, predictions :math:`\hat y`, weights w (1 where none are given) and the quantile q. Half of the
    mean absolute error at the median.

    Args:
        targets: ``[row]``, finite.
        predictions: ``[row]``, finite, in the unit of the targets.
        weights: ``[row]``, at least 0; a row of weight 0 does not count, whatever stands in it.
        quantile: The share of targets that should lie below their prediction, from 0 to 1.

    Returns:
        A number of at least 0, in the unit of the targets. ``None`` (undefined) with no rows, or where the sum
        does not fit into float64.

    Raises:
        ShapeError: The tensors differ in length, hold NaN or infinity, or the quantile is not from 0 to 1.

    Example:
        >>> import torch
        >>> pinball(torch.tensor([3.0, 5.0]), torch.tensor([7.0, 1.0]), quantile=0.75)
        2.0
    """
    if not 0 <= quantile <= 1:
        raise ShapeError(f"pinball: expected quantile from 0 to 1, found {quantile!r}")
    rows = finite_rows("pinball", targets, predictions, weights)
    if not len(rows.targets):
        return None
    error = rows.targets - rows.predictions  # [row]
    return finite(weighted_mean(torch.maximum(quantile * error, (quantile - 1) * error), rows.weights))


PINBALL = Metric("pinball", pinball, greater_is_better=False)
