"""Log loss beside that of the base rate."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.metrics.checks import finite, probability_rows, weighted_mean
from gatewise.metrics.log_loss import log_losses
from gatewise.metrics.metric import Metric


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


NORMALISED_ENTROPY = Metric("normalised_entropy", normalised_entropy, greater_is_better=False)
