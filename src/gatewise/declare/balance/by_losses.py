"""Rules that use the losses of a step or of several steps."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field

from gatewise.declare.balance.balance import Balance
from gatewise.declare.base import declaration

Positive = Annotated[float, Field(gt=0)]


@declaration
class Uncertainty(Balance):
    """Weights learnt as the tasks' homoscedastic uncertainty (Kendall, Gal and Cipolla, CVPR 2018)."""

    initial_log_variance: float = field(default=0.0, kw_only=True)
    """Initial value of every task's s = log(sigma^2); the loss has weight exp(-s), for regression half of exp(-s)."""
    kind: Literal["uncertainty"] = field(default="uncertainty", kw_only=True, repr=False)


@declaration
class ConstrainedUncertainty(Balance):
    """Uncertainty weighting whose variances have a product of 1, so that the weights cannot all grow together."""

    kind: Literal["constrained_uncertainty"] = field(default="constrained_uncertainty", kw_only=True, repr=False)


@declaration
class SoftUncertainty(Balance):
    """Softmax of the inverse losses (UW-SO: Kirchdorfer et al., GCPR 2024)."""

    temperature: Positive = field(default=1.0, kw_only=True)
    """Temperature of the softmax; large: equal weights."""
    kind: Literal["soft_uncertainty"] = field(default="soft_uncertainty", kw_only=True, repr=False)


@declaration
class DWA(Balance):
    """Dynamic weight average: a loss that falls more slowly has a larger weight (Liu, Johns and Davison, CVPR 2019)."""

    temperature: Positive = field(default=2.0, kw_only=True)
    """Temperature of the softmax; large: equal weights."""
    kind: Literal["dwa"] = field(default="dwa", kw_only=True, repr=False)


@declaration
class RLW(Balance):
    """Random weights at every step (Lin et al., TMLR 2022)."""

    kind: Literal["rlw"] = field(default="rlw", kw_only=True, repr=False)


@declaration
class GeometricMean(Balance):
    """The geometric mean of the losses (Chennupati et al., CVPR Workshops 2019)."""

    kind: Literal["geometric_mean"] = field(default="geometric_mean", kw_only=True, repr=False)


@declaration
class IMTLL(Balance):
    """Learnt factors that scale all losses to 1 (IMTL-L: Liu et al., ICLR 2021)."""

    kind: Literal["imtl_l"] = field(default="imtl_l", kw_only=True, repr=False)


@declaration
class SmoothTchebycheff(Balance):
    """A smooth maximum of the losses (Lin et al., ICML 2024)."""

    mu: Positive = field(default=0.5, kw_only=True)
    """Small: only the largest loss counts; large: equal weights."""
    kind: Literal["smooth_tchebycheff"] = field(default="smooth_tchebycheff", kw_only=True, repr=False)


@declaration
class FAMO(Balance):
    """Weights learnt from the change of the losses in every step (Liu et al., NeurIPS 2023)."""

    lr: Positive = field(default=0.025, kw_only=True)
    """Learning rate of the weights' logits."""
    decay: Annotated[float, Field(ge=0)] = field(default=1e-3, kw_only=True)
    """Decay of the logits towards 0."""
    kind: Literal["famo"] = field(default="famo", kw_only=True, repr=False)
