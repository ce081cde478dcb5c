"""Metrics as objects: a name, a function, a direction, and the sums from which a metric follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, Self

import torch
from torch import Tensor

from gatewise.errors import GatewiseError


class MetricFunction(Protocol):
    """The signature of every metric: tensors in, one number or ``None`` (undefined) out."""

    def __call__(self, targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
        """Return the metric over all rows; each tensor is ``[row]``, predictions of classes are ``[row, class]``."""


class Grouped(NamedTuple):
    """The mean of a metric over groups.

    Attributes:
        value: The mean over the groups with a defined metric; ``None`` if there are none.
        groups: Number of groups in the mean.
        skipped: Number of groups left out because the metric is undefined.
    """

    value: float | None
    groups: int
    skipped: int


class GroupMetricFunction(Protocol):
    """The signature of every metric within groups: tensors in, the mean over groups out."""

    def __call__(self, targets: Tensor, predictions: Tensor, groups: Tensor, weights: Tensor | None = None) -> Grouped:
        """Return the mean of the metric over groups; each tensor is ``[row]``."""


class Sums(Protocol):
    """Sums over rows from which some metrics follow: the sums of parts add up to the sums of the whole.

    Attributes:
        sums: float64; over several processes, ``torch.distributed.all_reduce(s.sums)`` is the merge.
    """

    sums: Tensor

    @classmethod
    def empty(cls, centre: float, device: torch.device | str) -> Self:
        """Return the sums of no rows; ``centre`` is a number near the targets."""

    def update(self, targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> None:
        """Add rows."""

    def merge(self, other: Self) -> None:
        """Add the rows of other sums."""


@dataclass(frozen=True)
class FromSums:
    """Computes a metric from sums, without the rows.

    Attributes:
        kind: class of the sums.
        read: returns the metric over all summed rows.
    """

    kind: type[Sums]
    read: Callable[[Any], float | None]


@dataclass(frozen=True)
class Metric:
    """A named metric and the direction in which it improves.

    Attributes:
        name: The name in results, logs and recipes, such as ``"auc"``.
        compute: ``compute(targets, predictions, weights=None) -> float | None``.
        greater_is_better: ``True`` (AUC), ``False`` (RMSE), or ``None`` if neither is better:
            the best PCOC is the one nearest to 1.
        from_sums: Computes the metric from sums over parts of the rows; ``None`` if it needs all rows at once.

    Example:
        >>> from gatewise.metrics import AUC, RMSE
        >>> AUC.better(0.81, 0.80), RMSE.better(0.81, 0.80)
        (True, False)
    """

    name: str
    compute: MetricFunction
    greater_is_better: bool | None
    from_sums: FromSums | None = None

    def better(self, a: float, b: float) -> bool:
        """Return whether ``a`` is strictly better than ``b``.

        Raises:
            GatewiseError: The metric has no direction, so that it cannot be monitored.
        """
        if self.greater_is_better is None:
            raise GatewiseError(f"metric {self.name!r}: expected one with a better direction, found none")
        return a > b if self.greater_is_better else a < b


@dataclass(frozen=True)
class GroupMetric:
    """A named metric within groups and the direction in which it improves.

    Attributes:
        name: The name in results, logs and recipes, such as ``"ndcg@10"``.
        compute: ``compute(targets, predictions, groups, weights=None) -> Grouped``.
        greater_is_better: ``True`` for all metrics of this package.

    Example:
        >>> import torch
        >>> from gatewise.metrics import GAUC
        >>> GAUC.compute(torch.tensor([1, 0]), torch.tensor([0.9, 0.1]), torch.tensor([3, 3])).value
        1.0
    """

    name: str
    compute: GroupMetricFunction
    greater_is_better: bool | None
