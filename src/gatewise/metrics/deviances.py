"""Deviances: the loss of likelihood of predicted means under a distribution."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.errors import ShapeError
from gatewise.metrics.checks import check_range, finite, finite_rows, weighted_mean


def poisson_deviance(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the mean Poisson deviance: twice the log-likelihood lost compared with predicting the targets themselves.

    .. math::
        D = \frac{2}{\sum_i w_i} \sum_i w_i \left(y_i \log \frac{y_i}{\hat y_i} - y_i + \hat y_i\right)

    with targets y, predictions :math:`\hat y` and weights w (1 where none are given); :math:`0 \log 0 = 0`.

    Args:
        targets: ``[row]``, finite, at least 0: counts, or means of counts.
        predictions: ``[row]``, finite, above 0: expected counts.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        A number of at least 0, in the unit of the targets. ``None`` (undefined) with no rows, or if the sum
        does not fit into float64.

    Raises:
        ShapeError: The tensors differ in length, hold NaN or infinity, a target is negative, or a prediction is
            not above 0.

    Example:
        >>> import torch
        >>> poisson_deviance(torch.tensor([0.0, 2.0]), torch.tensor([1.0, 2.0]))
        1.0
    """
    rows = finite_rows("poisson_deviance", targets, predictions, weights)
    check_range("poisson_deviance", "targets", rows.targets, zero=True)
    check_range("poisson_deviance", "predictions", rows.predictions, zero=False)
    if not len(rows.targets):
        return None
    return finite(weighted_mean(poisson_deviances(rows.targets, rows.predictions), rows.weights))


def poisson_deviances(targets: Tensor, predictions: Tensor) -> Tensor:
    """Return the Poisson deviance of each row, all ``[row]``."""
    return 2 * (torch.xlogy(targets, targets / predictions) - targets + predictions)


def tweedie_deviance(
    targets: Tensor, predictions: Tensor, weights: Tensor | None = None, *, power: float = 1.5
) -> float | None:
    r"""Return the mean Tweedie deviance, of distributions whose variance is a power of the mean.

    .. math::
        D_p = \frac{2}{\sum_i w_i} \sum_i w_i \left(\frac{\max(y_i, 0)^{2 - p}}{(1 - p)(2 - p)}
        - \frac{y_i \hat y_i^{1 - p}}{1 - p} + \frac{\hat y_i^{2 - p}}{2 - p}\right)

    with targets y, predictions :math:`\hat y`, weights w (1 where none are given) and the power p; its limits are
    the Poisson deviance at p = 1 and the gamma deviance

    .. math::
        D_2 = \frac{2}{\sum_i w_i} \sum_i w_i \left(\log \frac{\hat y_i}{y_i} + \frac{y_i}{\hat y_i} - 1\right)

    at p = 2. At p = 0 it is the mean squared error.

    Args:
        targets: ``[row]``, finite; at least 0 for powers from 1 to below 2, above 0 from 2.
        predictions: ``[row]``, finite; above 0 for every power but 0.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.
        power: 0 for the normal, 1 for the Poisson, 2 for the gamma distribution, 3 for the inverse Gaussian; between
            1 and 2 for sums of a Poisson number of gamma values. No distribution has a power between 0 and 1.

    Returns:
        A number of at least 0, in the unit of the targets to the power 2 - p. ``None`` (undefined) with no rows,
        or if the sum does not fit into float64.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, infinity or values outside the range of the power, or the
            power is between 0 and 1.

    Example:
        >>> import torch
        >>> tweedie_deviance(torch.tensor([0.0, 4.0]), torch.tensor([1.0, 4.0]))
        2.0
    """
    if not (power <= 0 or power >= 1):
        raise ShapeError(f"tweedie_deviance: expected power up to 0 or from 1, found {power!r}")
    rows = finite_rows("tweedie_deviance", targets, predictions, weights)
    if power >= 1:
        check_range("tweedie_deviance", "targets", rows.targets, zero=power < 2)
    if power != 0:
        check_range("tweedie_deviance", "predictions", rows.predictions, zero=False)
    if not len(rows.targets):
        return None
    return finite(weighted_mean(_deviances(rows.targets, rows.predictions, power), rows.weights))


def _deviances(y: Tensor, p: Tensor, power: float) -> Tensor:
    """Return the deviance of each row from targets y and predictions p, all ``[row]``."""
    if power == 0:
        return (y - p).square()
    if power == 1:
        return poisson_deviances(y, p)
    if power == 2:
        return 2 * ((p / y).log() + y / p - 1)
    a, b = 1 - power, 2 - power
    return 2 * (y.clamp(min=0).pow(b) / (a * b) - y * p.pow(a) / a + p.pow(b) / b)
