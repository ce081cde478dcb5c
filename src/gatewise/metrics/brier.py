"""Brier score: mean squared error of predicted probabilities."""

from __future__ import annotations

from torch import Tensor

from gatewise.metrics.checks import finite, probability_rows, weighted_mean
from gatewise.metrics.metric import Metric


def brier(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the mean squared distance of the predicted probabilities from the targets.

    .. math::
        B = \frac{\sum_i w_i (p_i - y_i)^2}{\sum_i w_i}

    with targets y, predicted probabilities p and weights w (1 where none are given).

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, probabilities from 0 to 1.
        weights: ``[row]``, at least 0; a row of weight 0 does not count, whatever stands in it.

    Returns:
        A number from 0 to 1, without unit; defined for one class too. ``None`` (undefined) with no rows.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is neither 0 nor 1, or a prediction is no
            probability.

    Example:
        >>> import torch
        >>> brier(torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.25]))
        0.15625
    """
    rows = probability_rows("brier", targets, predictions, weights)
    if not len(rows.targets):
        return None
    return finite(weighted_mean((rows.predictions - rows.targets).square(), rows.weights))


BRIER = Metric("brier", brier, greater_is_better=False)
