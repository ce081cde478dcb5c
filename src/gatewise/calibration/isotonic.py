"""Calibration by isotonic regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from gatewise.calibration.calibrator import labelled_rows
from gatewise.errors import ShapeError


class Isotonic:
    r"""Isotonic regression: the nondecreasing function nearest to the labels.

    .. math:: \min_f \sum_i (y_i - f(p_i))^2, \qquad f(p) \le f(q) \text{ for } p \le q

    Pooling adjacent violators finds the function: rows in the order of their predictions form blocks, and all rows of
    a block get the block's share of ones. Between the last prediction of a block and the first of the next block the
    function is linear; outside the range of the fitted predictions it is constant. So an order is kept up to ties.
    Isotonic regression needs some thousand rows, and a block without a one gets 0.

    Args:
        inputs: the predictions at which lines begin and end, rising; the default changes nothing.
        outputs: the values at these inputs, from 0 to 1, not falling.

    Raises:
        ShapeError: inputs do not rise, outputs fall or are not probabilities, or their numbers differ.

    References:
        Zadrozny and Elkan: Transforming Classifier Scores into Accurate Multiclass Probability Estimates. KDD 2002.

    Example:
        >>> import torch
        >>> probabilities = torch.tensor([0.1, 0.2, 0.3, 0.4, 0.8], dtype=torch.float64)
        >>> isotonic = Isotonic().fit(probabilities, torch.tensor([0, 1, 0, 1, 1]))
        >>> isotonic(torch.tensor([0.0, 0.1, 0.25, 0.35, 0.9], dtype=torch.float64)).round(decimals=6).tolist()
        [0.0, 0.0, 0.5, 0.75, 1.0]
    """

    method: ClassVar[str] = "isotonic"

    def __init__(self, inputs: Sequence[float] = (0.0, 1.0), outputs: Sequence[float] = (0.0, 1.0)) -> None:
        self.inputs, self.outputs = (torch.tensor(values, dtype=torch.float64) for values in (inputs, outputs))
        if self.inputs.dim() != 1 or self.inputs.shape != self.outputs.shape or not len(self.inputs):
            found = f"{tuple(self.inputs.shape)} and {tuple(self.outputs.shape)}"
            raise ShapeError(f"isotonic: expected as many inputs as outputs, found {found}")
        if not ((self.inputs.diff() > 0).all() and (self.outputs.diff() >= 0).all() and _probable(self.outputs)):
            raise ShapeError("isotonic: expected inputs that rise and outputs from 0 to 1 that do not fall")

    def fit(self, probabilities: Tensor, labels: Tensor) -> Self:
        """Learn the blocks; see :meth:`gatewise.calibration.Calibrator.fit`."""
        rows = labelled_rows(self.method, probabilities, labels)
        inputs, place, tied = torch.unique(rows.predictions, return_inverse=True, return_counts=True)  # [value]
        ones = torch.zeros_like(inputs).index_add_(0, place, rows.targets)
        shares, lengths = pool_adjacent_violators(ones, tied.double())  # [block]
        last = lengths.cumsum(0) - 1
        ends = torch.unique(torch.cat([last - lengths + 1, last]))
        self.inputs, self.outputs = inputs[ends], shares.repeat_interleave(lengths)[ends]
        return self

    def __call__(self, probabilities: Tensor) -> Tensor:  # noqa: D102
        inputs, outputs = (knots.to(probabilities.device) for knots in (self.inputs, self.outputs))
        inside = probabilities.double().clamp(inputs[0], inputs[-1])
        left = torch.searchsorted(inputs, inside, right=True) - 1
        right = (left + 1).clamp(max=len(inputs) - 1)
        width = inputs[right] - inputs[left]  # 0 at the last knot
        share = torch.where(width > 0, (inside - inputs[left]) / width, 0.0)
        # rounding must not lift a row above the next knot
        return torch.minimum(outputs[left] + share * (outputs[right] - outputs[left]), outputs[right])

    def state(self) -> dict[str, Any]:  # noqa: D102
        return {"inputs": self.inputs.tolist(), "outputs": self.outputs.tolist()}


def pool_adjacent_violators(sums: Tensor, weights: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean and the number of values of every block, with blocks pooled until their means rise.

    Shape:
        - sums, weights: ``[value]``, in the order of the values
        - output: two ``[block]``
    """
    # values that do not rise end in one block: the number of runs is at most the number of ones
    rises = (sums[1:] * weights[:-1] > sums[:-1] * weights[1:]).long()
    run = torch.cat([rises.new_zeros(1), rises.cumsum(0)])  # [value]
    columns = torch.stack([sums, weights, torch.ones_like(sums)], dim=1)
    runs = columns.new_zeros(int(run[-1]) + 1, 3).index_add_(0, run, columns)
    blocks: list[list[float]] = []
    for total, weight, length in runs.tolist():
        block = [total, weight, length]
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            block = [a + b for a, b in zip(blocks.pop(), block, strict=True)]
        blocks.append(block)
    totals, masses, lengths = torch.tensor(blocks, dtype=torch.float64).unbind(dim=1)
    return totals / masses, lengths.long()


def _probable(values: Tensor) -> bool:
    return bool(((values >= 0) & (values <= 1)).all())
