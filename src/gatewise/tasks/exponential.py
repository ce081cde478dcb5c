"""Exponentials that stay finite at any score."""

from __future__ import annotations

from torch import Tensor

LARGEST = 30.0
"""Largest useful exponent: e to this power is 10 million million times the typical label."""


def growth(x: Tensor) -> Tensor:
    r"""Return :math:`e^x`, continued above :data:`LARGEST` as a straight line, so that gradients are finite."""
    # above LARGEST the gradient comes from the second factor, below LARGEST from the first
    return x.clamp(max=LARGEST).exp() * (1 + (x - LARGEST).relu())


def bounded_exp(x: Tensor) -> Tensor:
    r"""Return :math:`e^x`, clipped to :math:`e^{\pm 30}`, so that predictions are neither 0 nor infinite."""
    return x.clamp(-LARGEST, LARGEST).exp()
