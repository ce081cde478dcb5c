"""The ratio of predicted and actual totals."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gatewise.metrics import Metric


def total_ratio(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the predicted total divided by the actual total: calibration in the large, as PCOC for probabilities.

    .. math:: \frac{\sum_i w_i \hat y_i}{\sum_i w_i y_i}

    Args:
        targets: ``[row]``, at least 0.
        predictions: ``[row]``.
        weights: ``[row]``, at least 0; by default 1.

    Returns:
        A number without unit; the best is 1. None for a total of 0, or a total that does not fit into float64.

    Example:
        >>> total_ratio(torch.tensor([0.0, 4.0]), torch.tensor([1.0, 5.0]))
        1.5
    """
    weight = torch.ones_like(targets) if weights is None else weights
    predicted, actual = (float((values.double() * weight)[weight > 0].sum()) for values in (predictions, targets))
    return predicted / actual if actual > 0 and math.isfinite(actual) and math.isfinite(predicted) else None


TOTAL_RATIO = Metric("total_ratio", total_ratio, greater_is_better=None)
