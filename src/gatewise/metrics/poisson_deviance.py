"""Mean deviance of predicted counts."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.metrics.checks import check_range, finite, finite_rows, weighted_mean
from gatewise.metrics.metric import Metric


def poisson_deviance(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the mean Poisson deviance: twice the log-likelihood lost against predicting every target itself.

    .. math::
        D = \frac{2}{\sum_i w_i} \sum_i w_i \left(y_i \log \frac{y_i}{\hat y_i} - y_i + \hat y_i\right)

    with targets y, predictions :math:`\hat y` and weights w (1 where none are given); :math:`0 \log 0 = 0`.

    Args:
        targets: ``[row]``, finite, at least 0: counts, or means of counts.
        predictions: ``[row]``, finite, above 0: expected counts.
        weights: ``[row]``, at least 0; a row of weight 0 does not count, whatever stands in it.

    Returns:
        A number of at least 0, in the unit of the targets. ``None`` (undefined) with no rows, or where the sum
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


POISSON_DEVIANCE = Metric("poisson_deviance", poisson_deviance, greater_is_better=False)
