"""Log loss (binary cross-entropy) of predicted probabilities."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.metrics.checks import Rows, finite, probability_rows, weighted_mean
from gatewise.metrics.metric import Metric


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


LOG_LOSS = Metric("log_loss", log_loss, greater_is_better=False)
