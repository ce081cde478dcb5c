"""Exponentials that stay finite at any score."""

from __future__ import annotations

from torch import Tensor

LARGEST = 30.0
"""Beyond e to this power nothing that is predicted means anything: 10 million million times the typical label."""


def growth(x: Tensor) -> Tensor:
    r"""Return :math:`e^x`, above :data:`LARGEST` continued as a straight line, so that gradients are finite."""
    # above LARGEST the gradient comes from the second factor, below it from the first
    return x.clamp(max=LARGEST).exp() * (1 + (x - LARGEST).relu())


def bounded_exp(x: Tensor) -> Tensor:
    r"""Return :math:`e^x` within :math:`e^{\pm 30}`: a prediction that is neither 0 nor infinite."""
    return x.clamp(-LARGEST, LARGEST).exp()
