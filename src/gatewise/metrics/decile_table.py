"""Predicted and actual value from the highest predictions to the lowest, in parts of equal weight."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from gatewise.metrics.checks import check_count, finite, finite_rows
from gatewise.metrics.sorting import equal_parts, mid_ranks


class Decile(NamedTuple):
    """One part of the rows, in the order of their predictions.

    Attributes:
        rows: Number of rows, or the sum of their weights.
        prediction: Mean prediction.
        target: Mean target.
        share: Share of the total of all targets in this part; ``None`` if the total is 0.
        cumulative: Share in this part and all higher parts; ``None`` if the total is 0.
    """

    rows: float
    prediction: float
    target: float
    share: float | None
    cumulative: float | None


def decile_table(targets: Tensor, predictions: Tensor, weights: Tensor | None = None, bins: int = 10) -> list[Decile]:
    r"""Return mean prediction and mean target of each tenth of the rows, the highest predictions first.

    Part b of B holds the rows whose rank (the weight of rows with higher predictions, plus half of the ties) is in

    .. math::
        \left[\frac{b - 1}{B}, \frac{b}{B}\right) \sum_i w_i

    with weights w (1 where none are given). Tied rows stay in one part, that of their middle rank. For a calibrated
    model the mean prediction and the mean target agree in each part; for a model that orders well the shares fall
    steeply.

    Args:
        targets: ``[row]``, finite: the value of each row.
        predictions: ``[row]``, finite, in the unit of the targets.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.
        bins: Number of parts.

    Returns:
        One entry per part with rows; parts may be empty because of ties. Without rows the list is empty.

    Raises:
        ShapeError: The tensors differ in length, hold NaN or infinity, or bins is not a positive whole number.

    Example:
        >>> import torch
        >>> targets, predictions = torch.tensor([0.0, 10.0, 0.0, 30.0]), torch.tensor([1.0, 5.0, 3.0, 21.0])
        >>> for decile in decile_table(targets, predictions, bins=2):
        ...     print(decile)
        Decile(rows=2.0, prediction=13.0, target=20.0, share=1.0, cumulative=1.0)
        Decile(rows=2.0, prediction=2.0, target=0.0, share=0.0, cumulative=1.0)
    """
    check_count("decile_table", "bins", bins)
    target, prediction, weight = finite_rows("decile_table", targets, predictions, weights)
    part = equal_parts(mid_ranks(prediction, weight), weight.sum(), bins)  # [row]
    columns = torch.stack([weight, prediction * weight, target * weight])
    size, predicted, value = (columns.new_zeros(bins).index_add_(0, part, column) for column in columns)  # [part]
    shares = value / value.sum()  # [part], NaN if the total is 0
    parts = zip(size, predicted / size, value / size, shares, shares.cumsum(0), strict=True)
    return [
        Decile(float(rows), float(mean), float(worth), finite(share), finite(cumulative))
        for rows, mean, worth, share, cumulative in parts
        if rows > 0
    ]
