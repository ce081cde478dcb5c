"""Metrics of the order of predicted numbers: Spearman's rank correlation and the normalised Gini coefficient."""

from __future__ import annotations

from torch import Tensor

from gatewise.metrics.checks import counted_rows, finite, finite_rows, weighted_mean
from gatewise.metrics.sorting import mid_ranks


def spearman(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the correlation of the ranks of the targets with the ranks of the predictions.

    .. math::
        \rho = \frac{\sum_i w_i (r_i - \bar r) (s_i - \bar s)}
        {\sqrt{\sum_i w_i (r_i - \bar r)^2 \sum_i w_i (s_i - \bar s)^2}}

    with the ranks r of the targets and s of the predictions, average ranks for tied rows, and weights w (1 where
    none are given). A row of weight n counts, in means and in ranks, like n equal rows.

    Args:
        targets: ``[row]``, any numbers: only their order counts.
        predictions: ``[row]``, any scores: only their order counts.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        A number from -1 to 1, without unit; 1 means equal order. ``None`` (undefined) with fewer than two rows, or
        if the targets or the predictions are all tied.

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


def gini(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the normalised Gini coefficient: the predictions' order of the targets' value, relative to the best one.

    .. math::
        \mathrm{Gini} = \frac{A(\hat y)}{A(y)}, \qquad
        A(s) = \int_0^1 \left(L_s(u) - u\right) \mathrm{d}u

    with the share :math:`L_s(u)` of the targets' total in the share u of rows with the highest s (the Lorenz curve,
    from the top), under weights w (1 where none are given). Tied rows form a straight line, the mean over their
    orders. The total cancels, so that it may be 0. For targets of 0 and 1 the value is 2 AUC - 1.

    Computed as the covariance of the targets with the ranks r of the predictions, of which A is a multiple:

    .. math::
        \mathrm{Gini} = \frac{\sum_i w_i (y_i - \bar y) \, r_i(\hat y)}{\sum_i w_i (y_i - \bar y) \, r_i(y)}

    Args:
        targets: ``[row]``, finite: the value of each row.
        predictions: ``[row]``, finite: only their order counts.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        A number from -1 to 1, without unit; 1 is the perfect order, 0 a random one. ``None`` (undefined) with
        fewer than two rows or with constant targets.

    Raises:
        ShapeError: The tensors differ in length, or hold NaN or infinity.

    Example:
        >>> import torch
        >>> gini(torch.tensor([0.0, 0.0, 10.0, 30.0]), torch.tensor([1.0, 2.0, 4.0, 3.0]))
        0.6
    """
    rows = finite_rows("gini", targets, predictions, weights)
    # Compared exactly, as in r2.
    if len(rows.targets) < 2 or rows.targets.min() == rows.targets.max():
        return None
    weight = rows.weights / rows.weights.sum()
    deviation = rows.targets - weighted_mean(rows.targets, weight)  # [row]
    reached, best = (
        (weight * deviation * (mid_ranks(scores, weight) - 0.5)).sum() for scores in (rows.predictions, rows.targets)
    )
    return finite((reached / best).clamp(-1, 1))
