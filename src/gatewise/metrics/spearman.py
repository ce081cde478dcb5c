"""Spearman's rank correlation."""

from __future__ import annotations

from torch import Tensor

from gatewise.metrics.checks import counted_rows, weighted_mean
from gatewise.metrics.metric import Metric
from gatewise.metrics.ranks import mid_ranks


def spearman(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the correlation of the ranks of the targets with the ranks of the predictions.

    .. math::
        \rho = \frac{\sum_i w_i (r_i - \bar r) (s_i - \bar s)}
        {\sqrt{\sum_i w_i (r_i - \bar r)^2 \sum_i w_i (s_i - \bar s)^2}}

    with the ranks r of the targets, s of the predictions, tied rows sharing their average rank, and weights w
    (1 where none are given). A row's weight counts in the means and in the ranks of others, as so many equal
    rows would.

    Args:
        targets: ``[row]``, any numbers: only their order counts.
        predictions: ``[row]``, any scores: only their order counts.
        weights: ``[row]``, at least 0; a row of weight 0 does not count, whatever stands in it.

    Returns:
        A number from -1 to 1, without unit; 1 is the same order. ``None`` (undefined) with fewer than two rows,
        or where the targets or the predictions are all tied.

    Raises:
        ShapeError: The tensors differ in length, or hold NaN.

    Example:
        >>> import torch
        >>> spearman(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.1, 0.9, 0.4]))
        0.5
    """
    rows = counted_rows("spearman", targets, predictions, weights)
    for values in (rows.targets, rows.predictions):
        # Compared exactly, as in r2.
        if len(values) < 2 or values.min() == values.max():
            return None
    weight = rows.weights / rows.weights.sum()
    target = mid_ranks(rows.targets, weight) - 0.5  # [row]: the mean rank is a half
    prediction = mid_ranks(rows.predictions, weight) - 0.5
    spread = weighted_mean(target.square(), weight) * weighted_mean(prediction.square(), weight)
    return float((weighted_mean(target * prediction, weight) / spread.sqrt()).clamp(-1, 1))


SPEARMAN = Metric("spearman", spearman, greater_is_better=True)
