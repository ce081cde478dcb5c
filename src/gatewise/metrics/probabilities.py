"""Metrics of predicted probabilities: order (AUC, PR-AUC), losses and calibration."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.metrics.checks import Rows, binary_rows, check_count, finite, probability_rows, weighted_mean
from gatewise.metrics.sorting import equal_parts, mid_ranks, positives_by_threshold, steps


def auc(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the exact area under the ROC curve: the probability that a positive scores higher than a negative.

    .. math::
        \mathrm{AUC} = \frac{\sum_{i: y_i = 1} \sum_{j: y_j = 0} w_i w_j
        \left([s_i > s_j] + \tfrac{1}{2} [s_i = s_j]\right)}{\sum_{i: y_i = 1} w_i \sum_{j: y_j = 0} w_j}

    with targets y, predictions s and weights w (1 where none are given). Computed by one sort, in O(n log n).

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, any scores: only their order counts, so logits do as well as probabilities.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        A number from 0 to 1, without unit; 0.5 if all scores are tied. ``None`` (undefined) with only one class or
        no rows.

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
    """Return the area under the curve through the given points (``[threshold]``, at least one, never falling)."""
    positive, negative = true_positives[-1], false_positives[-1]
    if not (positive > 0 and negative > 0):
        return None
    # The trapezoid below a step counts half of the pairs that are tied at its threshold.
    height = (true_positives - steps(true_positives) / 2) / positive  # [threshold]
    area = (steps(false_positives) * height).sum() / negative
    return float(area.clamp(max=1))


def pr_auc(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the average precision: the precision at each threshold, weighted by the added recall.

    .. math::
        \mathrm{AP} = \sum_k (R_k - R_{k-1}) P_k

    with the precision :math:`P_k` and recall :math:`R_k` of the rows that score at least the k-th highest
    distinct prediction, and :math:`R_0 = 0`. Tied rows enter together, without interpolation, as in
    ``sklearn.metrics.average_precision_score``.

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, any scores: only their order counts.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        A number from 0 to 1, without unit; the share of positives if all scores are tied. ``None`` (undefined)
        without positives or without rows.

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


def log_loss(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the mean negative log-likelihood of the targets under the predicted probabilities.

    .. math::
        L = -\frac{1}{\sum_i w_i} \sum_i w_i \left(y_i \log p_i + (1 - y_i) \log (1 - p_i)\right)

    with targets y, weights w (1 where none are given), and predictions p clipped to
    :math:`[\epsilon, 1 - \epsilon]`, :math:`\epsilon` the machine epsilon of their dtype, as
    ``sklearn.metrics.log_loss`` does. The logarithms are taken in float64.

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, probabilities from 0 to 1. Integers are clipped as float64.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        A number of at least 0, in nats per row; defined for one class too. ``None`` (undefined) with no rows.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is neither 0 nor 1, or a prediction is not a
            probability.

    Example:
        >>> import torch
        >>> round(log_loss(torch.tensor([1.0, 0.0]), torch.tensor([0.5, 0.5])), 6)
        0.693147
    """
    rows = probability_rows("log_loss", targets, predictions, weights)
    if not len(rows.targets):
        return None
    return finite(weighted_mean(log_losses(rows, predictions.dtype), rows.weights))


def log_losses(rows: Rows, dtype: torch.dtype) -> Tensor:
    """Return the log loss of each row, ``[row]``; predictions are clipped for their original ``dtype``."""
    probability = clipped(rows.predictions, dtype)  # [row]
    return -torch.where(rows.targets > 0, probability, 1 - probability).log()


def clipped(probabilities: Tensor, dtype: torch.dtype) -> Tensor:
    """Return probabilities clipped away from 0 and 1 by the machine epsilon of their original dtype."""
    epsilon = machine_epsilon(dtype)
    return probabilities.clamp(epsilon, 1 - epsilon)


def machine_epsilon(dtype: torch.dtype) -> float:
    """Return the machine epsilon of a dtype, of float64 for integers."""
    return torch.finfo(dtype if dtype.is_floating_point else torch.float64).eps


def normalised_entropy(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the log loss, divided by the log loss of predicting the base rate for every row.

    .. math::
        \mathrm{NE} = \frac{-\frac{1}{\sum_i w_i} \sum_i w_i \left(y_i \log p_i + (1 - y_i) \log (1 - p_i)\right)}
        {-\left(\bar y \log \bar y + (1 - \bar y) \log (1 - \bar y)\right)}, \qquad
        \bar y = \frac{\sum_i w_i y_i}{\sum_i w_i}

    with targets y, weights w (1 where none are given), and predictions p clipped as in
    :func:`gatewise.metrics.log_loss`. Unlike log loss, it is comparable between data of different base rates.

    From `Practical Lessons from Predicting Clicks on Ads at Facebook <https://doi.org/10.1145/2648584.2648589>`_.

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, probabilities from 0 to 1.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        A number of at least 0, without unit; below 1 is better than the base rate. ``None`` (undefined) with
        one class only or no rows.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is neither 0 nor 1, or a prediction is not a
            probability.

    Example:
        >>> import torch
        >>> targets, predictions = torch.tensor([1.0, 0.0, 0.0, 0.0]), torch.tensor([0.75, 0.25, 0.25, 0.25])
        >>> round(normalised_entropy(targets, predictions), 6)
        0.511585
    """
    rows = probability_rows("normalised_entropy", targets, predictions, weights)
    return relative_entropy(
        weighted_mean(log_losses(rows, predictions.dtype), rows.weights),
        (rows.targets * rows.weights).sum(),
        ((1 - rows.targets) * rows.weights).sum(),
    )


def relative_entropy(loss: Tensor, positive: Tensor, negative: Tensor) -> float | None:
    """Return a mean log loss divided by the entropy of the weights of positives and negatives (each ``[]``)."""
    shares = torch.stack([positive, negative]) / (positive + negative)
    # The entropy of one class is 0, and the ratio is then not finite.
    return finite(loss / -torch.xlogy(shares, shares).sum())


def brier(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the mean squared difference of predicted probabilities and targets.

    .. math::
        B = \frac{\sum_i w_i (p_i - y_i)^2}{\sum_i w_i}

    with targets y, predicted probabilities p and weights w (1 where none are given).

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, probabilities from 0 to 1.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        A number from 0 to 1, without unit; defined for one class too. ``None`` (undefined) with no rows.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is neither 0 nor 1, or a prediction is not a
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


def pcoc(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return predicted click over click: predicted positives divided by observed positives.

    .. math::
        \mathrm{PCOC} = \frac{\sum_i w_i p_i}{\sum_i w_i y_i}

    with targets y, predicted probabilities p and weights w (1 where none are given). 1 means calibrated in total;
    above 1 the predictions are too high, below 1 too low.

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, probabilities from 0 to 1.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        A ratio of at least 0, without unit; the best is 1. ``None`` (undefined) with no positive or no rows.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is neither 0 nor 1, or a prediction is not a
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


def ece(
    targets: Tensor,
    predictions: Tensor,
    weights: Tensor | None = None,
    *,
    bins: int = 20,
    equal_width: bool = False,
) -> float | None:
    r"""Return the expected calibration error: the mean gap of predictions and targets in bins of similar predictions.

    .. math::
        \mathrm{ECE} = \frac{1}{\sum_i w_i} \sum_b \left|\sum_{i \in b} w_i (p_i - y_i)\right|

    with targets y, predicted probabilities p and weights w (1 where none are given). The bins b hold equal weight,
    in the order of the predictions: if most predictions are small, bins of equal width would put nearly all rows
    into the first bin. Tied rows stay in one bin, that of their middle rank.

    As in `On Calibration of Modern Neural Networks <https://arxiv.org/abs/1706.04599>`_, except that bins have equal
    width there.

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, probabilities from 0 to 1.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.
        bins: Number of bins; more bins show more of the error, and more noise.
        equal_width: Use bins of equal width from 0 to 1 instead, each closed at its lower end.

    Returns:
        A number from 0 to 1; 0 means calibrated in every bin. ``None`` (undefined) with no rows.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is neither 0 nor 1, a prediction is not a
            probability, or bins is not a positive whole number.

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
    """Return the absolute sums per part of gaps (predicted minus observed, ``[row]``), divided by the total weight."""
    summed = gaps.new_zeros(int(part.max()) + 1).index_add_(0, part, gaps)
    return finite(summed.abs().sum() / total)
