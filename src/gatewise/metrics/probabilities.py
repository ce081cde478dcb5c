"""Predicted probabilities of 0 and 1: their order (AUC, PR-AUC), their loss, and how well they are calibrated."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.metrics.checks import Rows, binary_rows, check_count, finite, probability_rows, weighted_mean
from gatewise.metrics.sorting import equal_parts, mid_ranks, positives_by_threshold, steps


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
        weights: ``[row]``, at least 0; a row of weight 0 does not count, whatever stands in it.

    Returns:
        A number of at least 0, in nats a row; defined for one class too. ``None`` (undefined) with no rows.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is neither 0 nor 1, or a prediction is no
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
    """Return the log loss of each row, ``[row]``; ``dtype`` is what the predictions came in and are clipped by."""
    probability = clipped(rows.predictions, dtype)  # [row]
    return -torch.where(rows.targets > 0, probability, 1 - probability).log()


def clipped(probabilities: Tensor, dtype: torch.dtype) -> Tensor:
    """Keep probabilities off 0 and 1 by the machine epsilon of the dtype in which they came."""
    epsilon = machine_epsilon(dtype)
    return probabilities.clamp(epsilon, 1 - epsilon)


def machine_epsilon(dtype: torch.dtype) -> float:
    """Return the machine epsilon of a dtype, of float64 for integers."""
    return torch.finfo(dtype if dtype.is_floating_point else torch.float64).eps


def normalised_entropy(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the log loss divided by the log loss of predicting the base rate for every row.

    .. math::
        \mathrm{NE} = \frac{-\frac{1}{\sum_i w_i} \sum_i w_i \left(y_i \log p_i + (1 - y_i) \log (1 - p_i)\right)}
        {-\left(\bar y \log \bar y + (1 - \bar y) \log (1 - \bar y)\right)}, \qquad
        \bar y = \frac{\sum_i w_i y_i}{\sum_i w_i}

    with targets y, weights w (1 where none are given), and predictions p clipped as in
    :func:`gatewise.metrics.log_loss`. It compares data of different base rates, which log loss cannot.

    From `Practical Lessons from Predicting Clicks on Ads at Facebook <https://doi.org/10.1145/2648584.2648589>`_.

    Args:
        targets: ``[row]``, each 0 or 1.
        predictions: ``[row]``, probabilities from 0 to 1.
        weights: ``[row]``, at least 0; a row of weight 0 does not count, whatever stands in it.

    Returns:
        A number of at least 0, without unit; below 1 is better than the base rate. ``None`` (undefined) with
        one class only or no rows.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is neither 0 nor 1, or a prediction is no
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
    """Divide a mean log loss by the entropy of so much weight of positives and of negatives (each ``[]``)."""
    shares = torch.stack([positive, negative]) / (positive + negative)
    # One class has no entropy, and the ratio is then no finite number.
    return finite(loss / -torch.xlogy(shares, shares).sum())


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
