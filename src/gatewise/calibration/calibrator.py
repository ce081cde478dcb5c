"""The interface of calibrators, and the rows that they learn from."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, Self

from torch import Tensor

from gatewise.errors import ShapeError
from gatewise.metrics.checks import Rows, probability_rows


class Fitter(Protocol):
    """Learns a calibrator from rows with labels."""

    def fit(self, probabilities: Tensor, labels: Tensor) -> Calibrator:
        """Return a fitted calibrator; see :meth:`Calibrator.fit`."""


class Calibrator(Protocol):
    """A monotone map from probabilities to probabilities.

    A calibrator that was not fitted changes nothing, unless its arguments define the map.

    Attributes:
        method: the name in declarations and artefacts.
    """

    method: ClassVar[str]

    def fit(self, probabilities: Tensor, labels: Tensor) -> Self:
        """Learn from rows ``[row]``; rows whose label is NaN do not count.

        Raises:
            ShapeError: other lengths, no probabilities, labels other than 0 and 1, or one class alone.
        """

    def __call__(self, probabilities: Tensor) -> Tensor:
        """Return the calibrated probabilities, of the same shape, in float64."""

    def state(self) -> dict[str, Any]:
        """Return the constructor's arguments, which hold what was learnt, as JSON values."""


def labelled_rows(method: str, probabilities: Tensor, labels: Tensor) -> Rows:
    """Return the rows with a label, in float64.

    Raises:
        ShapeError: see :meth:`Calibrator.fit`.
    """
    labels = labels.double()
    rows = probability_rows(method, labels, probabilities, (~labels.isnan()).double())
    ones, count = int(rows.targets.sum()), len(rows.targets)
    if not 0 < ones < count:
        found = f"{int(ones > 0)} in all {count}" if count else "none"
        raise ShapeError(f"{method}: expected labels of both classes, found {found}")
    return rows
