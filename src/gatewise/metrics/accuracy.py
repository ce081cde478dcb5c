"""Accuracy of predicted classes."""

from __future__ import annotations

from torch import Tensor

from gatewise.metrics.checks import class_rows, finite, weighted_mean
from gatewise.metrics.metric import Metric


def accuracy(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return how often the class with the highest prediction is the target.

    .. math::
        \mathrm{ACC} = \frac{1}{\sum_i w_i} \sum_i w_i \frac{[y_i \in C_i]}{|C_i|}, \qquad
        C_i = \left\{c : p_{ic} = \max_{c'} p_{ic'}\right\}

    with targets y, predictions p and weights w (1 where none are given). Classes tied for the highest prediction
    share the row, so a constant prediction of c classes scores 1/c.

    Args:
        targets: ``[row]``, indices of classes.
        predictions: ``[row, class]``, any scores: only which is the highest counts.
        weights: ``[row]``, at least 0; a row of weight 0 does not count, whatever stands in it.

    Returns:
        A number from 0 to 1, without unit. ``None`` (undefined) with no rows.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, or a target is no index of a class.

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


ACCURACY = Metric("accuracy", accuracy, greater_is_better=True)
