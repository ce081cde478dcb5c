"""Calibration by isotonic regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from gatewise.calibration.calibrator import labelled_rows
from gatewise.calibration.platt import Platt
from gatewise.errors import ShapeError

SHARE = 0.02
"""Share of Platt's calibration in the result."""
DOUBT = 1.0
"""Rows that count in every block as Platt's calibration says, so that no block is sure."""


class Isotonic:
    r"""Isotonic regression that rises everywhere: lines between blocks, and a little of Platt's calibration.

    .. math::
        p' = (1 - \epsilon) \, f(q) + \epsilon \, q, \qquad q = \sigma\left(a \log \frac{p}{1 - p} + b\right), \qquad
        \min_f \sum_i (y_i - f(q_i))^2, \quad f(q) \le f(r) \text{ for } q \le r

    with :math:`\epsilon = 0.02`, and a and b of :class:`Platt`. Pooling adjacent violators finds blocks of rows in the
    order of their predictions, whose shares of ones rise. Every block stands at its mean prediction, with its share of
    ones, to which one row counts that is as Platt says; f is linear between blocks and constant outside. So :math:`p'`
    rises strictly: the order of rows is kept without new ties, and nothing becomes exactly 0 or 1.

    Args:
        inputs: the predictions at which lines begin and end, rising; the default changes nothing.
        outputs: the values at these inputs, from 0 to 1, not falling.
        slope, intercept: a and b.
        share: :math:`\epsilon`; with 0 the order is kept up to ties.

    Raises:
        ShapeError: inputs do not rise, outputs fall or are not probabilities, or their numbers differ; see also
            :class:`Platt`.

    References:
        Zadrozny and Elkan: Transforming Classifier Scores into Accurate Multiclass Probability Estimates. KDD 2002.
        Oron and Flournoy: Centered Isotonic Regression. Statistics in Biopharmaceutical Research, 2017.

    Example:
        >>> import torch
        >>> probabilities = torch.linspace(0.01, 0.99, 1000, dtype=torch.float64)
        >>> labels = (torch.arange(1000) % 10 < 10 * probabilities.square()).double()
        >>> found = Isotonic().fit(probabilities, labels)(torch.tensor([0.3, 0.6, 0.9], dtype=torch.float64))
        >>> [abs(value - wanted) < 0.06 for value, wanted in zip(found.tolist(), [0.1, 0.4, 0.9])]
        [True, True, True]
    """

    # NOTE[DIFF]: isotonic regression is constant within a block; equal values of different rows would lose their order
    method: ClassVar[str] = "isotonic"

    def __init__(
        self,
        inputs: Sequence[float] = (0.0, 1.0),
        outputs: Sequence[float] = (0.0, 1.0),
        slope: float = 1.0,
        intercept: float = 0.0,
        share: float = 0.0,
    ) -> None:
        self.inputs, self.outputs = (torch.tensor(values, dtype=torch.float64) for values in (inputs, outputs))
        if self.inputs.dim() != 1 or self.inputs.shape != self.outputs.shape or not len(self.inputs):
            found = f"{tuple(self.inputs.shape)} and {tuple(self.outputs.shape)}"
            raise ShapeError(f"isotonic: expected as many inputs as outputs, found {found}")
        if not ((self.inputs.diff() > 0).all() and (self.outputs.diff() >= 0).all() and _probable(self.outputs)):
            raise ShapeError("isotonic: expected inputs that rise and outputs from 0 to 1 that do not fall")
        if not 0 <= share <= 1:
            raise ShapeError(f"isotonic: expected a share from 0 to 1, found {share:g}")
        self.line, self.share = Platt(slope, intercept), share

    def fit(self, probabilities: Tensor, labels: Tensor) -> Self:
        """Learn line and blocks; see :meth:`gatewise.calibration.Calibrator.fit`."""
        rows = labelled_rows(self.method, probabilities, labels)
        line = Platt().fit(rows.predictions, rows.targets)
        # a model that orders the rows the wrong way keeps its order: only the shares say what they are
        self.line, self.share = line if line.slope > 0 else Platt(), SHARE
        places, place, tied = torch.unique(self.line(rows.predictions), return_inverse=True, return_counts=True)
        ones = torch.zeros_like(places).index_add_(0, place, rows.targets)
        _, lengths = pool_adjacent_violators(ones, tied.double())
        counts, sums, ones = (_by_block(values, lengths) for values in (tied.double(), places * tied, ones))
        centres = sums / counts
        # the row that counts in every block may make neighbours fall again
        shares, lengths = pool_adjacent_violators(ones + DOUBT * centres, counts + DOUBT)
        counts, sums = _by_block(counts, lengths), _by_block(sums, lengths)
        self.inputs, self.outputs = sums / counts, shares
        return self

    def __call__(self, probabilities: Tensor) -> Tensor:  # noqa: D102
        inputs, outputs = (knots.to(probabilities.device) for knots in (self.inputs, self.outputs))
        straight = probabilities.double() if self.line.changes_nothing else self.line(probabilities)
        inside = straight.clamp(inputs[0], inputs[-1])
        left = torch.searchsorted(inputs, inside, right=True) - 1
        right = (left + 1).clamp(max=len(inputs) - 1)
        width = inputs[right] - inputs[left]  # 0 at the last knot
        along = torch.where(width > 0, (inside - inputs[left]) / width, 0.0)
        # rounding must not lift a row above the next knot
        steps = torch.minimum(outputs[left] + along * (outputs[right] - outputs[left]), outputs[right])
        return (1 - self.share) * steps + self.share * straight

    def state(self) -> dict[str, Any]:  # noqa: D102
        knots = {"inputs": self.inputs.tolist(), "outputs": self.outputs.tolist()}
        return knots | self.line.state() | {"share": self.share}


def _by_block(values: Tensor, lengths: Tensor) -> Tensor:
    """Return the sums ``[block]`` of values ``[value]``, given how many values each block has."""
    block = torch.arange(len(lengths)).repeat_interleave(lengths)
    return torch.zeros(len(lengths), dtype=torch.float64).index_add_(0, block, values.double())


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
