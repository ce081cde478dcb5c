"""Rules that use the directions of the tasks' gradients; all but Nash-MTL need the extra ``balance``."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field

from gatewise.declare.balance.balance import Balance
from gatewise.declare.balance.by_sizes import Site
from gatewise.declare.base import declaration


@declaration
class Direction(Balance):
    """Base of these rules."""

    at: Site = field(default="representation", kw_only=True)
    """Where gradients are taken: at the shared ``representation``, in the ``experts``, or in their last layer."""


@declaration
class MGDA(Direction):
    """The shortest convex combination of gradients (Désidéri, 2012; Sener and Koltun, NeurIPS 2018)."""

    kind: Literal["mgda"] = field(default="mgda", kw_only=True, repr=False)


@declaration
class PCGrad(Direction):
    """Gradients without the parts that conflict with other tasks' gradients (Yu et al., NeurIPS 2020)."""

    kind: Literal["pcgrad"] = field(default="pcgrad", kw_only=True, repr=False)


@declaration
class UPGrad(Direction):
    """The mean of the gradients, each projected so that it harms no task (Quinton and Rey, 2024)."""

    kind: Literal["upgrad"] = field(default="upgrad", kw_only=True, repr=False)


@declaration
class CAGrad(Direction):
    """The gradient near the mean that is best for the worst-off task (Liu et al., NeurIPS 2021)."""

    c: Annotated[float, Field(ge=0)] = field(default=0.5, kw_only=True)
    """Largest distance from the mean gradient, as a share of the mean gradient's norm."""
    kind: Literal["cagrad"] = field(default="cagrad", kw_only=True, repr=False)


@declaration
class IMTLG(Direction):
    """Equal projections on all tasks' gradients (IMTL-G: Liu et al., ICLR 2021)."""

    kind: Literal["imtl_g"] = field(default="imtl_g", kw_only=True, repr=False)


@declaration
class AlignedMTL(Direction):
    """Principal components of the gradients, scaled to equal size (Senushkin et al., CVPR 2023)."""

    kind: Literal["aligned_mtl"] = field(default="aligned_mtl", kw_only=True, repr=False)


@declaration
class DualProj(Direction):
    """The mean gradient, projected so that it harms no task (Lopez-Paz and Ranzato, NeurIPS 2017)."""

    kind: Literal["dualproj"] = field(default="dualproj", kw_only=True, repr=False)


@declaration
class FairGrad(Direction):
    """Gains shared between tasks by alpha-fairness (Ban and Ji, ICML 2024)."""

    alpha: Annotated[float, Field(gt=0)] = field(default=2.0, kw_only=True)
    """1: Nash-MTL; a larger alpha gives more weight to the task that gains least."""
    kind: Literal["fairgrad"] = field(default="fairgrad", kw_only=True, repr=False)


@declaration
class NashMTL(Direction):
    """The Nash bargaining solution (Navon et al., ICML 2022); needs no extra."""

    kind: Literal["nash_mtl"] = field(default="nash_mtl", kw_only=True, repr=False)
