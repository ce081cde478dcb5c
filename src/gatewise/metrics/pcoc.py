"""Predicted click over click: calibration in the large."""

from __future__ import annotations

from torch import Tensor

from gatewise.metrics.checks import finite, probability_rows
from gatewise.metrics.metric import Metric


def pcoc(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return predicted click over click: the positives that were predicted for each one observed.

    .. math::
        \mathrm{PCOC} = \frac{\sum_i w_i p_i}{\sum_i w_i y_i}

    with targets y, predicted probabilities p and weights w (1 where none are given). 1 is calibrated on the
    whole, above 1 the model promises too much, below 1 too little.

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, probabilities from 0 to 1.
        weights: ``[row]``, at least 0; a row of weight 0 does not count, whatever stands in it.

    Returns:
        A ratio of at least 0, without unit; the best is 1. ``None`` (undefined) with no positive or no rows.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is neither 0 nor 1, or a prediction is no
            probability.

    Example:
        >>> import torch
        >>> pcoc(torch.tensor([1.0, 0.0, 0.0, 0.0]), torch.tensor([0.5, 0.25, 0.25, 0.5]))
        1.5
    """
    rows = probability_rows("pcoc", targets, predictions, weights)
    observed = (rows.targets * rows.weights).sum()
    if not observed > 0:
        return None
    return finite((rows.predictions * rows.weights).sum() / observed)


PCOC = Metric("pcoc", pcoc, greater_is_better=None)
