"""What trees learn of each kind of task: an ensemble per judged output, with the loss that fits its labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gatewise.errors import DeclarationError
from gatewise.tasks import (
    BinaryTask,
    CountTask,
    DurationTask,
    LifetimeValueTask,
    MulticlassTask,
    OrdinalTask,
    RegressionTask,
    Task,
)

AMOUNTS = 1.5
"""Power of the Tweedie loss of amounts that are mostly 0."""


def objective_of(task: Task, output: str) -> dict[str, Any]:
    """Return LightGBM's options for an output of a task.

    A step of a funnel has two outputs, given the step before and joint; both are probabilities of their own rows. An
    ordinal label is learnt as a number, a watch time as the logarithm of what is seen of it, see :func:`learnt_as`.

    Raises:
        DeclarationError: the task is of a kind of one's own, whose loss trees do not have.
    """
    match task:
        case BinaryTask():
            return {"objective": "binary"}
        case RegressionTask(loss="mae"):
            return {"objective": "regression_l1"}
        case RegressionTask(loss="quantile"):
            return {"objective": "quantile", "alpha": task.quantile}
        case RegressionTask() | OrdinalTask() | DurationTask():
            return {"objective": "regression"}
        case CountTask(loss="poisson"):
            return {"objective": "poisson"}
        case CountTask():
            return {"objective": "tweedie", "tweedie_variance_power": task.power}
        case LifetimeValueTask():
            amount = output != task.positive
            return {"objective": "tweedie", "tweedie_variance_power": AMOUNTS} if amount else {"objective": "binary"}
        case MulticlassTask():
            return {"objective": "multiclass", "num_class": len(task.columns)}
        case _:
            raise DeclarationError(f"baseline lightgbm: task {task.name!r} is of a kind whose loss trees do not have")


def learnt_as(task: Task, labels: np.ndarray) -> np.ndarray:
    r"""Return what trees learn of labels: of watch times :math:`\ln(1 + t / u)` with their unit u, else the labels."""
    return np.log1p(labels / task.unit) if isinstance(task, DurationTask) else labels


def predicted_from(task: Task, found: np.ndarray, learnt: np.ndarray, labels: np.ndarray) -> np.ndarray:
    r"""Return predictions in the labels' unit from what trees predict, see :func:`learnt_as`.

    .. math:: \hat t = u \, \left(s \, e^{\hat x} - 1\right), \qquad
        s = \frac{\sum_i (1 + t_i / u)}{\sum_i e^{\hat x_i}}

    with the sums over the training rows, so that their total is met: the mean of a logarithm is that of a smaller time.

    Args:
        task: the task.
        found: predictions of trees for some rows.
        learnt: predictions of the same trees for the training rows.
        labels: the labels of the training rows, in their own unit.
    """
    if not isinstance(task, DurationTask):
        return found
    scale = (1 + labels / task.unit).sum() / np.exp(learnt).sum()
    return task.unit * np.maximum(scale * np.exp(found) - 1, 0)


def columns_of(task: Task, found: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return every predicted column of a task from the predictions of its outputs.

    A column that trees do not predict, such as the probability of a level, is NaN.
    """
    if isinstance(task, MulticlassTask):
        return dict(zip(task.columns, found[task.name].T, strict=True))
    nothing = np.full_like(next(iter(found.values())), np.nan)
    return {column: found.get(column, nothing) for column in task.columns}
