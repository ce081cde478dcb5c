"""Metrics of numbers from sums that add up over batches and processes."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.errors import ShapeError
from gatewise.metrics.checks import finite, finite_rows


class Moments:
    r"""The sums from which RMSE, MAE and R2 of all rows follow.

    .. math::
        \sum_i w_i, \quad \sum_i w_i (y_i - c), \quad \sum_i w_i (y_i - c)^2, \quad
        \sum_i w_i (y_i - \hat y_i)^2, \quad \sum_i w_i |y_i - \hat y_i|

    with targets y, predictions :math:`\hat y`, weights w (1 where none are given) and a fixed centre c. Nothing but
    :attr:`sums` is kept, and sums of parts add up to the sums of the whole: over several processes,
    ``torch.distributed.all_reduce(m.sums)`` is the merge.

    Args:
        centre: A number near the targets, such as the mean of the training labels. The targets' variance is taken
            from sums about it, which are as exact as the centre is near; 0 does for targets whose mean is no more
            than a thousand times their deviation.
        device: Where the sums are kept; rows may come from other devices.

    Attributes:
        sums: ``[5]``, float64, in the order above.

    Example:
        >>> import torch
        >>> first, second = Moments(), Moments()
        >>> first.update(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.0]))
        >>> second.update(torch.tensor([3.0]), torch.tensor([4.0]))
        >>> first.merge(second)
        >>> first.r2(), round(first.mae(), 6)
        (0.5, 0.333333)
    """

    def __init__(self, centre: float = 0.0, device: torch.device | str = "cpu") -> None:
        self.centre = centre
        self.sums = torch.zeros(5, dtype=torch.float64, device=device)

    def update(self, targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> None:
        """Add rows; all are ``[row]``, as in :func:`gatewise.metrics.rmse`.

        Raises:
            ShapeError: As :func:`gatewise.metrics.rmse`; nothing is added then.
        """
        rows = finite_rows("Moments", targets, predictions, weights)
        target, error = rows.targets - self.centre, rows.targets - rows.predictions  # [row]
        columns = torch.stack([torch.ones_like(target), target, target.square(), error.square(), error.abs()])
        self.sums += (columns * rows.weights).sum(1).to(self.sums.device)

    def merge(self, other: Moments) -> None:
        """Add the rows of other moments about the same centre.

        Raises:
            ShapeError: The moments differ in their centre.
        """
        if self.centre != other.centre:
            raise ShapeError(f"merge: expected moments about {self.centre:g}, found some about {other.centre:g}")
        self.sums += other.sums.to(self.sums.device)

    def rmse(self) -> float | None:
        """Return the root mean squared error in the unit of the targets; ``None`` with no rows."""
        return finite((self.sums[3] / self.sums[0]).sqrt())

    def mae(self) -> float | None:
        """Return the mean absolute error in the unit of the targets; ``None`` with no rows."""
        return finite(self.sums[4] / self.sums[0])

    def r2(self) -> float | None:
        """Return the coefficient of determination.

        ``None`` with fewer than two rows or with constant targets. Targets count as constant where their variance
        is less than 1e-12 of their mean square about the centre: sums in float64 cannot tell it from rounding.
        """
        weight, target, square, unexplained, _ = self.sums
        total = square - target.square() / weight
        return finite(1 - unexplained / total) if total > 1e-12 * square else None
