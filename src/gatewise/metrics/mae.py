"""Mean absolute error."""

from __future__ import annotations

from torch import Tensor

from gatewise.metrics.checks import finite, finite_rows, weighted_mean
from gatewise.metrics.metric import Metric


def mae(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the mean absolute error.

    .. math::
        \mathrm{MAE} = \frac{\sum_i w_i |y_i - \hat y_i|}{\sum_i w_i}

    with targets y, predictions :math:`\hat y` and weights w (1 where none are given).

    Args:
        targets: ``[row]``, finite.
        predictions: ``[row]``, finite, in the unit of the targets.
        weights: ``[row]``, at least 0; a row of weight 0 does not count, whatever stands in it.

    Returns:
        A number of at least 0, in the unit of the targets. ``None`` (undefined) with no rows, or where the
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


MAE = Metric("mae", mae, greater_is_better=False)
