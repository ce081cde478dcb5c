"""Balancing: the weight of each task's loss at each step."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gatewise.declare.balance.by_directions import (
    IMTLG,
    MGDA,
    AlignedMTL,
    CAGrad,
    DualProj,
    FairGrad,
    NashMTL,
    PCGrad,
    UPGrad,
)
from gatewise.declare.balance.by_losses import (
    DWA,
    FAMO,
    IMTLL,
    RLW,
    ConstrainedUncertainty,
    GeometricMean,
    SmoothTchebycheff,
    SoftUncertainty,
    Uncertainty,
)
from gatewise.declare.balance.by_sizes import DBMTLBalance, GradNorm, MetaBalance
from gatewise.declare.balance.check import check_balance
from gatewise.declare.balance.static import Static, TunedStatic
from gatewise.declare.base import shorthand
from gatewise.declare.doors import OpenTo

AnyBalance = Annotated[
    Annotated[
        Static
        | TunedStatic
        | Uncertainty
        | ConstrainedUncertainty
        | SoftUncertainty
        | DWA
        | RLW
        | GeometricMean
        | IMTLL
        | SmoothTchebycheff
        | FAMO
        | GradNorm
        | MetaBalance
        | DBMTLBalance
        | MGDA
        | PCGrad
        | UPGrad
        | CAGrad
        | IMTLG
        | AlignedMTL
        | DualProj
        | FairGrad
        | NashMTL,
        Field(discriminator="kind"),
    ],
    shorthand,
    OpenTo("balance"),
]

__all__ = [
    "DWA",
    "FAMO",
    "IMTLG",
    "IMTLL",
    "MGDA",
    "RLW",
    "AlignedMTL",
    "AnyBalance",
    "CAGrad",
    "ConstrainedUncertainty",
    "DBMTLBalance",
    "DualProj",
    "FairGrad",
    "GeometricMean",
    "GradNorm",
    "MetaBalance",
    "NashMTL",
    "PCGrad",
    "SmoothTchebycheff",
    "SoftUncertainty",
    "Static",
    "TunedStatic",
    "UPGrad",
    "Uncertainty",
    "check_balance",
]
