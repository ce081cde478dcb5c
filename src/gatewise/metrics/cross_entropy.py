"""Cross-entropy of predicted probabilities of classes."""

from __future__ import annotations

import math

from torch import Tensor

from gatewise.metrics.checks import check_probabilities, check_sums, class_rows, finite, weighted_mean
from gatewise.metrics.log_loss import clipped, machine_epsilon
from gatewise.metrics.metric import Metric


def cross_entropy(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the mean negative log-likelihood of the classes under their predicted probabilities.

    .. math::
        L = -\frac{1}{\sum_i w_i} \sum_i w_i \log p_{i y_i}

    with targets y, weights w (1 where none are given), and predictions p clipped as in
    :func:`gatewise.metrics.log_loss`, which this is for two classes.

    Args:
        targets: ``[row]``, indices of classes.
        predictions: ``[row, class]``, probabilities from 0 to 1, each row with the sum 1.
        weights: ``[row]``, at least 0; a row of weight 0 does not count, whatever stands in it.

    Returns:
        A number of at least 0, in nats a row. ``None`` (undefined) with no rows.

    Raises:
        ShapeError: The tensors differ in length, hold NaN, a target is no index of a class, or a row of
            predictions is no distribution.

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


CROSS_ENTROPY = Metric("cross_entropy", cross_entropy, greater_is_better=False)
