"""Expected calibration error of predicted probabilities."""

from __future__ import annotations

from torch import Tensor

from gatewise.metrics.checks import check_count, finite, probability_rows
from gatewise.metrics.metric import Metric
from gatewise.metrics.ranks import equal_parts, mid_ranks


def ece(
    targets: Tensor,
    predictions: Tensor,
    weights: Tensor | None = None,
    *,
    bins: int = 20,
    equal_width: bool = False,
) -> float | None:
    r"""Return how far predictions and targets lie apart within bins of similar predictions, on average.

    .. math::
        \mathrm{ECE} = \frac{1}{\sum_i w_i} \sum_b \left|\sum_{i \in b} w_i (p_i - y_i)\right|

    with targets y, predicted probabilities p and weights w (1 where none are given). The bins b hold equal weight,
    in the order of the predictions: where most predictions are small, bins of equal width would put nearly all
    rows into the first. Tied rows are kept in one bin, the one where their middle is.

    As in `On Calibration of Modern Neural Networks <https://arxiv.org/abs/1706.04599>`_, but for the bins, which
    are of equal width there.

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, probabilities from 0 to 1.
        weights: ``[row]``, at least 0; a row of weight 0 does not count, whatever stands in it.
        bins: How many bins; more of them see more of the error and more of the noise.
        equal_width: Cut the range from 0 to 1 into equal intervals instead, each with its lower end.

    Returns:
        A number from 0 to 1, a probability; 0 is calibrated in every bin. ``None`` (undefined) with no rows.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is neither 0 nor 1, a prediction is no
            probability, or bins is no positive whole number.

    Example:
        >>> import torch
        >>> targets = torch.tensor([0, 1, 1, 1])
        >>> ece(targets, torch.tensor([0.25, 0.25, 0.75, 0.75]), bins=2)
        0.25
    """
    check_count("ece", "bins", bins)
    rows = probability_rows("ece", targets, predictions, weights)
    if not len(rows.targets):
        return None
    total = rows.weights.sum()
    if equal_width:
        part = (rows.predictions * bins).long().clamp(max=bins - 1)  # [row]
    else:
        part = equal_parts(mid_ranks(rows.predictions, rows.weights), total, bins)
    return calibration_error((rows.predictions - rows.targets) * rows.weights, part, total)


def calibration_error(gaps: Tensor, part: Tensor, total: Tensor) -> float | None:
    """Return the size of the gaps (predicted less observed, ``[row]``) summed by part, beside the total weight."""
    summed = gaps.new_zeros(int(part.max()) + 1).index_add_(0, part, gaps)
    return finite(summed.abs().sum() / total)


ECE = Metric("ece", ece, greater_is_better=False)
