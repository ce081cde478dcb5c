"""A metric as the trainer and the evaluation see it: a name, a function and a direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from gatewise.errors import GatewiseError


class MetricFunction(Protocol):
    """What every metric of this package is: tensors in, one number or ``None`` (undefined) out."""

    def __call__(self, targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
        """Compute the metric over all rows; each tensor is ``[row]``."""


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
