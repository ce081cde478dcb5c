"""Errors relative to the label: MAPE, and the sums from which it follows."""

from __future__ import annotations

import torch
from torch import Tensor

from gatewise.metrics.checks import finite, finite_rows


class RelativeErrors:
    """The sums from which the MAPE of all rows follows; the sums of parts add up to the sums of the whole.

    Args:
        device: Where the sums are kept; rows may come from other devices.

    Attributes:
        sums: ``[3]``, float64: the weights, the weighted relative errors, and the weights of rows with target 0.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.sums = torch.zeros(3, dtype=torch.float64, device=device)

    @classmethod
    def empty(cls, centre: float = 0.0, device: torch.device | str = "cpu") -> RelativeErrors:  # noqa: ARG003
        """Return the sums of no rows; ``centre`` is not used."""
        return cls(device)

    def update(self, targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> None:
        """Add rows; all are ``[row]``.

        Raises:
            ShapeError: As :func:`mape`; then no row is added.
        """
        rows = finite_rows("mape", targets, predictions, weights)
        zero = rows.targets == 0
        relative = (rows.targets - rows.predictions).abs() / torch.where(zero, 1.0, rows.targets.abs())
        columns = torch.stack([torch.ones_like(relative), relative, zero.double()])
        self.sums += (columns * rows.weights).sum(1).to(self.sums.device)

    def merge(self, other: RelativeErrors) -> None:
        """Add the rows of other sums."""
        self.sums += other.sums.to(self.sums.device)

    def mape(self) -> float | None:
        """Return the mean absolute error relative to the targets; ``None`` with no rows, or with a target of 0."""
        weight, error, zero = self.sums
        return None if zero > 0 else finite(error / weight)


def mape(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the mean absolute percentage error, as a share: 0.1 for 10%.

    .. math::
        \mathrm{MAPE} = \frac{1}{\sum_i w_i} \sum_i w_i \frac{|y_i - \hat y_i|}{|y_i|}

    Args:
        targets: ``[row]``, finite.
        predictions: ``[row]``, finite, in the unit of the targets.
        weights: ``[row]``, at least 0; rows of weight 0 are ignored, also if they hold NaN.

    Returns:
        A number of at least 0, without unit. ``None`` (undefined) with no rows, or if any target is 0: no error is a
        share of nothing.

    Raises:
        ShapeError: The tensors differ in length, or hold NaN or infinity.

    Example:
        >>> import torch
        >>> mape(torch.tensor([2.0, 4.0]), torch.tensor([3.0, 4.0]))
        0.25
        >>> mape(torch.tensor([2.0, 0.0]), torch.tensor([3.0, 0.0]))
    """
    found = RelativeErrors(targets.device)
    found.update(targets, predictions, weights)
    return found.mape()
