"""Area under the ROC curve."""

from __future__ import annotations

from torch import Tensor

from gatewise.metrics.checks import binary_rows
from gatewise.metrics.metric import Metric
from gatewise.metrics.thresholds import positives_by_threshold, steps


def auc(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the exact area under the ROC curve: how often a positive outscores a negative.

    .. math::
        \mathrm{AUC} = \frac{\sum_{i: y_i = 1} \sum_{j: y_j = 0} w_i w_j
        \left([s_i > s_j] + \tfrac{1}{2} [s_i = s_j]\right)}{\sum_{i: y_i = 1} w_i \sum_{j: y_j = 0} w_j}

    with targets y, predictions s and weights w (1 where none are given). Computed by one sort, in O(n log n).

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, any scores: only their order counts, so logits do as well as probabilities.
        weights: ``[row]``, at least 0; a row of weight 0 does not count, whatever stands in it.

    Returns:
        A number from 0 to 1, without unit; 0.5 where all scores are tied. ``None`` (undefined) with one class
        only or no rows.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, or a target is neither 0 nor 1.

    Example:
        >>> import torch
        >>> auc(torch.tensor([0.0, 0.0, 1.0, 1.0]), torch.tensor([0.1, 0.4, 0.35, 0.8]))
        0.75
    """
    rows = binary_rows("auc", targets, predictions, weights)
    if not len(rows.targets):
        return None
    return area_under(*positives_by_threshold(rows))


def area_under(true_positives: Tensor, false_positives: Tensor) -> float | None:
    """Return the area under the curve through the given points (``[threshold]``, at least one, none decreasing)."""
    positive, negative = true_positives[-1], false_positives[-1]
    if not (positive > 0 and negative > 0):
        return None
    # The trapezoid below a step counts half of the pairs that are tied at its threshold.
    height = (true_positives - steps(true_positives) / 2) / positive  # [threshold]
    area = (steps(false_positives) * height).sum() / negative
    return float(area.clamp(max=1))


AUC = Metric("auc", auc, greater_is_better=True)
