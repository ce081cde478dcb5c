"""Labels that are numbers."""

from __future__ import annotations

from torch import Tensor

from gatewise.metrics import MAE, R2, RMSE
from gatewise.tasks.task import Task


class RegressionTask(Task):
    r"""A number: identity link, squared error of standardised targets.

    .. math:: \ell(s, y) = \left(s - \frac{y - \mu}{\sigma}\right)^2, \qquad \hat y = \mu + \sigma s

    so that the unit of the label does not weigh the task against others.

    Args:
        name: names the task's outputs and metrics.
        weight: multiplies the task's loss.
        within: see :class:`Task`.
        mean: of the training labels.
        std: of the training labels.
    """

    metrics = (RMSE, MAE, R2)
    summary = R2
    uncertainty_factor = 0.5

    def __init__(
        self, name: str, weight: float = 1.0, *, within: str | None = None, mean: float = 0.0, std: float = 1.0
    ) -> None:
        super().__init__(name, weight, within=within)
        self.mean = mean
        self.std = std

    def targets(self, labels: Tensor) -> Tensor:  # noqa: D102
        return (labels - self.mean) / self.std

    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:  # noqa: D102
        return (scores - targets).square()

    def predict(self, scores: Tensor) -> Tensor:  # noqa: D102
        return scores.double() * self.std + self.mean
