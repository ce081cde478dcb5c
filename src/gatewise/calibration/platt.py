"""Calibration by a linear function of the log odds."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from gatewise.calibration.calibrator import labelled_rows
from gatewise.errors import ShapeError

EPSILON = torch.finfo(torch.float64).eps
STEPS = 100
TOLERANCE = 1e-12


class Platt:
    r"""A logistic regression on the log odds: two parameters, learnt well from some hundred rows.

    .. math:: p' = \sigma\left(a \log \frac{p}{1 - p} + b\right), \qquad a \ge 0

    with slope a and intercept b of the greatest likelihood. The labels are smoothed: a 1 counts as
    :math:`(N_1 + 1) / (N_1 + 2)`, a 0 as :math:`1 / (N_0 + 2)`, with :math:`N_1` ones and :math:`N_0` zeros. So a and b
    are finite even if the predictions separate the classes. If all predictions are equal, a is 1; if higher predictions
    come with fewer ones, a is 0 and all rows get an equal probability.

    Args:
        slope: a.
        intercept: b.

    Raises:
        ShapeError: an argument is not finite, or the slope is negative.

    References:
        Platt: Probabilistic Outputs for Support Vector Machines and Comparisons to Regularized Likelihood Methods.
        Advances in Large Margin Classifiers, 1999.

    Example:
        >>> import torch
        >>> probabilities = torch.tensor([0.9, 0.5]).repeat_interleave(1000)
        >>> labels = (torch.arange(2000) % 10 < 5).double()
        >>> Platt().fit(probabilities, labels)(torch.tensor([0.5, 0.9], dtype=torch.float64)).round(decimals=3).tolist()
        [0.5, 0.5]
    """

    method: ClassVar[str] = "platt"

    def __init__(self, slope: float = 1.0, intercept: float = 0.0) -> None:
        if not (math.isfinite(slope) and math.isfinite(intercept) and slope >= 0):
            found = f"{slope:g} and {intercept:g}"
            raise ShapeError(f"platt: expected a finite slope of at least 0 and a finite intercept, found {found}")
        # JSON may hold whole numbers, of which a tensor takes no more than 64 bits
        self.slope, self.intercept = float(slope), float(intercept)

    def fit(self, probabilities: Tensor, labels: Tensor) -> Self:
        """Learn slope and intercept; see :meth:`gatewise.calibration.Calibrator.fit`."""
        rows = labelled_rows(self.method, probabilities, labels)
        ones = rows.targets.sum()
        zeros = len(rows.targets) - ones
        targets = torch.where(rows.targets > 0, (ones + 1) / (ones + 2), 1 / (zeros + 2))  # [row]
        self.slope, self.intercept = _most_likely(log_odds(rows.predictions), targets)
        return self

    def __call__(self, probabilities: Tensor) -> Tensor:  # noqa: D102
        return (self.slope * log_odds(probabilities) + self.intercept).sigmoid()

    @property
    def changes_nothing(self) -> bool:
        """Whether the line is the diagonal."""
        return (self.slope, self.intercept) == (1.0, 0.0)

    def state(self) -> dict[str, Any]:  # noqa: D102
        return {"slope": self.slope, "intercept": self.intercept}


def log_odds(probabilities: Tensor) -> Tensor:
    """Return the log odds in float64, also finite at 0 and 1."""
    return probabilities.double().logit(eps=EPSILON)


def _most_likely(scores: Tensor, targets: Tensor) -> tuple[float, float]:
    """Return slope and intercept of the greatest likelihood, by Newton's method; arguments are ``[row]``."""
    # centred, so that slope and intercept hardly depend on each other and equal scores leave the slope as it is
    centre = scores.mean()
    inputs = torch.stack([scores - centre, torch.ones_like(scores)])  # [parameter, row]
    parameters = torch.tensor([1.0, 0.0], dtype=torch.float64)
    loss = _loss(parameters, inputs, targets)
    for _ in range(STEPS):
        probabilities = (parameters @ inputs).sigmoid()
        gradient = inputs @ (probabilities - targets) / len(targets)
        curvature = (inputs * (probabilities * (1 - probabilities))) @ inputs.T / len(targets)
        # damped: equal scores have no curvature, and neither have extreme ones
        step = torch.linalg.solve(curvature + TOLERANCE * torch.eye(2), gradient)
        while (lower := _loss(parameters - step, inputs, targets)) > loss and step.abs().max() > TOLERANCE:
            step = step / 2
        if step.abs().max() <= TOLERANCE:
            break
        parameters, loss = parameters - step, lower
    slope, intercept = parameters.tolist()
    if slope < 0:
        return 0.0, float(targets.mean().logit())
    return slope, intercept - slope * float(centre)


def _loss(parameters: Tensor, inputs: Tensor, targets: Tensor) -> Tensor:
    return binary_cross_entropy_with_logits(parameters @ inputs, targets)
