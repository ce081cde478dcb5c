"""Area under the precision-recall curve, as average precision."""

from __future__ import annotations

from torch import Tensor

from gatewise.metrics.checks import binary_rows
from gatewise.metrics.metric import Metric
from gatewise.metrics.thresholds import positives_by_threshold, steps


def pr_auc(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the average precision: the precision at each threshold, weighted by the recall it adds.

    .. math::
        \mathrm{AP} = \sum_k (R_k - R_{k-1}) P_k

    with the precision :math:`P_k` and recall :math:`R_k` of the rows that score at least the k-th highest
    distinct prediction, and :math:`R_0 = 0`. Tied rows enter together and nothing is interpolated, as in
    ``sklearn.metrics.average_precision_score``.

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, any scores: only their order counts.
        weights: ``[row]``, at least 0; a row of weight 0 does not count, whatever stands in it.

    Returns:
        A number from 0 to 1, without unit; the share of positives where all scores are tied. ``None``
        (undefined) with no positive or no rows.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, or a target is neither 0 nor 1.

    Example:
        >>> import torch
        >>> pr_auc(torch.tensor([0.0, 1.0, 1.0, 0.0]), torch.tensor([0.9, 0.8, 0.7, 0.1]))
        0.5833333333333333
    """
    rows = binary_rows("pr_auc", targets, predictions, weights)
    if not len(rows.targets):
        return None
    true_positives, false_positives = positives_by_threshold(rows)  # [threshold]
    if not true_positives[-1] > 0:
        return None
    precision = true_positives / (true_positives + false_positives)  # [threshold]
    area = (steps(true_positives) * precision).sum() / true_positives[-1]
    return float(area.clamp(max=1))


PR_AUC = Metric("pr_auc", pr_auc, greater_is_better=True)
