"""A metric as the trainer and the evaluation see it: a name, a function and a direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from gatewise.errors import GatewiseError
from gatewise.metrics.grouped import Grouped


class MetricFunction(Protocol):
    """What every metric of this package is: tensors in, one number or ``None`` (undefined) out."""

    def __call__(self, targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
        """Compute the metric over all rows; each tensor is ``[row]``, the predictions of classes ``[row, class]``."""


class GroupMetricFunction(Protocol):
    """What every metric within groups is: tensors in, the mean over groups out."""

    def __call__(self, targets: Tensor, predictions: Tensor, groups: Tensor, weights: Tensor | None = None) -> Grouped:
        """Compute the metric within each group; each tensor is ``[row]``."""


@dataclass(frozen=True)
class Metric:
    """A named metric and the direction in which it improves.

    Attributes:
        name: The name in results, logs and recipes, such as ``"auc"``.
        compute: ``compute(targets, predictions, weights=None) -> float | None``.
        greater_is_better: ``True`` (AUC), ``False`` (RMSE), or ``None`` where neither is better:
            the best PCOC is the one nearest to 1.

    Example:
        >>> from gatewise.metrics import AUC, RMSE
        >>> AUC.better(0.81, 0.80), RMSE.better(0.81, 0.80)
        (True, False)
    """

    name: str
    compute: MetricFunction
    greater_is_better: bool | None

    def better(self, a: float, b: float) -> bool:
        """Return whether ``a`` is strictly better than ``b``.

        Raises:
            GatewiseError: The metric has no direction, so it cannot be monitored.
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
        greater_is_better: ``True`` for all that this package has.

    Example:
        >>> import torch
        >>> from gatewise.metrics import GAUC
        >>> GAUC.compute(torch.tensor([1, 0]), torch.tensor([0.9, 0.1]), torch.tensor([3, 3])).value
        1.0
    """

    name: str
    compute: GroupMetricFunction
    greater_is_better: bool | None
