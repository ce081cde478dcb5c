"""Labels that are one of several classes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from typing_extensions import override

from gatewise.metrics import ACCURACY, CROSS_ENTROPY, Metric, auc
from gatewise.tasks.means import log_of_mean
from gatewise.tasks.rows import ByTask
from gatewise.tasks.task import Metrics, Task


def macro_auc(targets: Tensor, predictions: Tensor, weights: Tensor | None = None) -> float | None:
    r"""Return the mean over classes of the one-versus-rest AUC.

    .. math:: \frac{1}{|C|} \sum_{c \in C} \mathrm{AUC}([y = c], \hat p_c)

    where C holds the classes that occur in some rows but not in all.

    Args:
        targets: ``[row]``, indices of classes.
        predictions: ``[row, class]``, any scores.
        weights: ``[row]``, see :func:`gatewise.metrics.auc`.

    Returns:
        A number from 0 to 1; None if C is empty.

    Example:
        >>> macro_auc(torch.tensor([0, 1, 1]), torch.tensor([[0.8, 0.2], [0.1, 0.9], [0.3, 0.7]]))
        1.0
    """
    each = [auc((targets == place).double(), column, weights) for place, column in enumerate(predictions.unbind(dim=1))]
    defined = [value for value in each if value is not None]
    return sum(defined) / len(defined) if defined else None


MACRO_AUC = Metric("macro_auc", macro_auc, greater_is_better=True)


class MulticlassTask(Task):
    r"""The probability of each class: softmax link, cross entropy.

    .. math:: \hat p_c = \frac{e^{s_c}}{\sum_{c'} e^{s_{c'}}}, \qquad \ell(s, y) = -\ln \hat p_y

    Args:
        name: names the task's outputs and metrics.
        weight: multiplies the task's loss.
        within: see :class:`Task`.
        classes: the names of the classes; a label is a position in it.
        rates: each class's share of the training labels, which the untrained model predicts; by default all equal.
    """

    metrics = (ACCURACY, CROSS_ENTROPY, MACRO_AUC)
    summary = MACRO_AUC

    def __init__(
        self,
        name: str,
        weight: float = 1.0,
        *,
        within: str | None = None,
        classes: Sequence[int | str] = (),
        rates: Sequence[float] | None = None,
    ) -> None:
        super().__init__(name, weight, within=within)
        self.classes = tuple(classes)
        self.rates = tuple(rates or (1 / len(classes) for _ in classes))
        self.num_scores = len(classes)

    @property
    @override
    def initial_bias(self) -> float | tuple[float, ...]:
        """Logarithms of the training rates."""
        return tuple(math.log(rate) for rate in self.rates)

    @property
    @override
    def columns(self) -> tuple[str, ...]:
        return tuple(f"{self.name}[{label}]" for label in self.classes)

    @override
    def losses(self, scores: Tensor, targets: Tensor) -> Tensor:
        return cross_entropy(scores, targets.long(), reduction="none")

    @override
    def merged(self, scores: Tensor) -> Tensor:
        """Return the scores whose probabilities are the means of the members' probabilities."""
        return log_of_mean(scores.log_softmax(dim=2))

    @override
    def predict(self, scores: Tensor) -> Tensor:
        return scores.double().softmax(dim=1)

    @override
    def evaluate_among(self, labels: ByTask, predictions: ByTask, groups: Tensor | None = None) -> Metrics:
        shares = torch.stack([predictions[column] for column in self.columns], dim=1)
        return {self.name: self.evaluate(labels[self.name], shares, groups)}
