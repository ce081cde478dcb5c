"""Metrics of classes, from predictions ``[row, class]``: accuracy and cross-entropy."""

from __future__ import annotations

import math

from torch import Tensor

from gatewise.metrics.checks import check_probabilities, check_sums, class_rows, finite, weighted_mean
from gatewise.metrics.probabilities import clipped, machine_epsilon


def accuracy(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the share of rows in which the class with the highest prediction is the target.

    .. math::
        \mathrm{ACC} = \frac{1}{\sum_i w_i} \sum_i w_i \frac{[y_i \in C_i]}{|C_i|}, \qquad
        C_i = \left\{c : p_{ic} = \max_{c'} p_{ic'}\right\}

    with targets y, predictions p and weights w (1 where none are given). Classes tied for the highest prediction
    share the row, so that a constant prediction of c classes has an accuracy of 1/c.

    Args:
        targets: ``[row]``, indices of classes.
        predictions: ``[row, class]``, any scores; only the highest matters.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        A number from 0 to 1, without unit. ``None`` (undefined) with no rows.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, or a target is not the index of a class.

    Example:
        >>> import torch
        >>> accuracy(torch.tensor([0, 2]), torch.tensor([[0.5, 0.3, 0.2], [0.2, 0.4, 0.4]]))
        0.75
    """
    rows = class_rows("accuracy", targets, predictions, weights)
    if not len(rows.targets):
        return None
    highest = rows.predictions == rows.predictions.amax(1, keepdim=True)  # [row, class]
    hit = highest.gather(1, rows.targets[:, None])[:, 0].double()  # [row]
    return finite(weighted_mean(hit / highest.sum(1), rows.weights))


def cross_entropy(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the mean negative log-likelihood of the classes under their predicted probabilities.

    .. math::
        L = -\frac{1}{\sum_i w_i} \sum_i w_i \log p_{i y_i}

    with targets y, weights w (1 where none are given), and predictions p clipped as in
    :func:`gatewise.metrics.log_loss`, which equals this metric for two classes.

    Args:
        targets: ``[row]``, indices of classes.
        predictions: ``[row, class]``, probabilities from 0 to 1; each row sums to 1.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        A number of at least 0, in nats per row. ``None`` (undefined) with no rows.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is not the index of a class, or a row of
            predictions does not sum to 1.

    Example:
        >>> import torch
        >>> round(cross_entropy(torch.tensor([0, 1]), torch.tensor([[0.5, 0.5], [0.5, 0.5]])), 6)
        0.693147
    """
    rows = class_rows("cross_entropy", targets, predictions, weights)
    check_probabilities("cross_entropy", rows.predictions)
    check_sums("cross_entropy", rows.predictions, math.sqrt(machine_epsilon(predictions.dtype)))
    if not len(rows.targets):
        return None
    likelihood = clipped(rows.predictions.gather(1, rows.targets[:, None])[:, 0], predictions.dtype)  # [row]
    return finite(weighted_mean(-likelihood.log(), rows.weights))
