"""A normal distribution from two of a task's scores, in log space."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus
from torch.special import log_ndtr

SHARPEST = 0.05
"""Smallest spread, in standard deviations of the training labels."""
UNIT_SPREAD = math.log(math.expm1(1 - SHARPEST))
"""The score with a spread of 1."""


def spread_of(scores: Tensor) -> Tensor:
    r"""Return the standard deviation :math:`\sigma_0 + \ln(1 + e^s)` of a score s."""
    return SHARPEST + softplus(scores)


def value_losses(values: Tensor, mean: Tensor, spread: Tensor) -> Tensor:
    r"""Return the negative log density of values, relative to the highest possible density; all ``[row]``.

    .. math:: \frac{(z - \mu)^2}{2 \sigma^2} + \ln \frac{\sigma}{\sigma_0}

    The constant makes the loss 0 or more: with a loss below 0, uncertainty weighting would let the weight grow without
    bound.
    """
    return ((values - mean) / spread).square() / 2 + (spread / SHARPEST).log()


def log_between(low: Tensor, high: Tensor) -> Tensor:
    r"""Return :math:`\ln(\Phi(b) - \Phi(a))` of bounds a < b, exact in both tails."""
    flipped = low > 0
    low, high = torch.where(flipped, -high, low), torch.where(flipped, -low, high)
    upper = log_ndtr(high)
    return upper + torch.log1p(-(log_ndtr(low) - upper).exp())
