"""Errors of predicted numbers: MSE, RMSE, MAE, R2, and the pinball loss of quantiles."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.errors import ShapeError
from gatewise.metrics.checks import finite, finite_rows, weighted_mean


def mse(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the mean squared error, the square of :func:`rmse`.

    Args:
        targets: ``[row]``, finite.
        predictions: ``[row]``, finite, in the unit of the targets.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        A number of at least 0, in the squared unit of the targets. ``None`` (undefined) with no rows, or if the squares
        do not fit into float64.

    Raises:
        ShapeError: The tensors differ in length, or hold NaN or infinity.

    Example:
        >>> import torch
        >>> mse(torch.tensor([3.0, 5.0, 4.0, 2.0]), torch.tensor([3.0, 1.0, 4.0, 2.0]))
        4.0
    """
    rows = finite_rows("mse", targets, predictions, weights)
    if not len(rows.targets):
        return None
    return finite(weighted_mean((rows.targets - rows.predictions).square(), rows.weights))


def rmse(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the root of the mean squared error.

    .. math::
        \mathrm{RMSE} = \sqrt{\frac{\sum_i w_i (y_i - \hat y_i)^2}{\sum_i w_i}}

    with targets y, predictions :math:`\hat y` and weights w (1 where none are given).

    Args:
        targets: ``[row]``, finite.
        predictions: ``[row]``, finite, in the unit of the targets.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        A number of at least 0, in the unit of the targets. ``None`` (undefined) with no rows, or if the
        squares do not fit into float64.

    Raises:
        ShapeError: The tensors differ in length, or hold NaN or infinity.

    Example:
        >>> import torch
        >>> rmse(torch.tensor([3.0, 5.0, 4.0, 2.0]), torch.tensor([3.0, 1.0, 4.0, 2.0]))
        2.0
    """
    rows = finite_rows("rmse", targets, predictions, weights)
    if not len(rows.targets):
        return None
    return finite(weighted_mean((rows.targets - rows.predictions).square(), rows.weights).sqrt())


def mae(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the mean absolute error.

    .. math::
        \mathrm{MAE} = \frac{\sum_i w_i |y_i - \hat y_i|}{\sum_i w_i}

    with targets y, predictions :math:`\hat y` and weights w (1 where none are given).

    Args:
        targets: ``[row]``, finite.
        predictions: ``[row]``, finite, in the unit of the targets.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        A number of at least 0, in the unit of the targets. ``None`` (undefined) with no rows, or if the
        sum does not fit into float64.

    Raises:
        ShapeError: The tensors differ in length, or hold NaN or infinity.

    Example:
        >>> import torch
        >>> mae(torch.tensor([3.0, 5.0]), torch.tensor([3.0, 1.0]))
        2.0
    """
    rows = finite_rows("mae", targets, predictions, weights)
    if not len(rows.targets):
        return None
    return finite(weighted_mean((rows.targets - rows.predictions).abs(), rows.weights))


def r2(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the coefficient of determination: the explained share of the targets' variance.

    .. math::
        R^2 = 1 - \frac{\sum_i w_i (y_i - \hat y_i)^2}{\sum_i w_i (y_i - \bar y)^2}, \qquad
        \bar y = \frac{\sum_i w_i y_i}{\sum_i w_i}

    with targets y, predictions :math:`\hat y` and weights w (1 where none are given).

    Args:
        targets: ``[row]``, finite.
        predictions: ``[row]``, finite, in the unit of the targets.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        A number of at most 1, without unit; predicting the mean gives 0, and worse predictions a negative number.
        ``None`` (undefined) with fewer than two rows, with constant targets even if they are predicted perfectly,
        or if a sum does not fit into float64.

    Raises:
        ShapeError: The tensors differ in length, or hold NaN or infinity.

    Example:
        >>> import torch
        >>> r2(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 2.0, 4.0]))
        0.5
    """
    rows = finite_rows("r2", targets, predictions, weights)
    # Compared exactly: the computed variance of constant targets is often not 0.
    if len(rows.targets) < 2 or rows.targets.min() == rows.targets.max():
        return None
    deviation = rows.targets - weighted_mean(rows.targets, rows.weights)  # [row]
    # With this scale, the targets' unit alone cannot make a sum of squares overflow float64.
    spread = deviation.abs().max()
    unexplained = (((rows.targets - rows.predictions) / spread).square() * rows.weights).sum()
    total = ((deviation / spread).square() * rows.weights).sum()
    return finite(1 - unexplained / total)


def pinball(
    targets: Tensor, predictions: Tensor, weights: Tensor | None = None, *, quantile: float = 0.5
) -> float | None:
    r"""Return the mean pinball loss, which is smallest for the quantile of the targets.

    .. math::
        L_q = \frac{1}{\sum_i w_i} \sum_i w_i \max\left(q (y_i - \hat y_i), (q - 1) (y_i - \hat y_i)\right)

    with targets y, predictions :math:`\hat y`, weights w (1 where none are given) and the quantile q. For
    the median it is half of the mean absolute error.

    Args:
        targets: ``[row]``, finite.
        predictions: ``[row]``, finite, in the unit of the targets.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.
        quantile: The share of targets that should lie below their prediction, from 0 to 1.

    Returns:
        A number of at least 0, in the unit of the targets. ``None`` (undefined) with no rows, or if the sum
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
