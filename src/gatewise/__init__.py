"""Gatewise: multi-task ranking with multi-gate mixture-of-experts.

One model predicts click, purchase, dwell, rating ... together: experts shared by all tasks, one softmax gate a task
that mixes them, one tower a task. Names are imported when they are first used, so that ``gatewise.nn`` needs nothing
but torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from gatewise.version import __version__

if TYPE_CHECKING:
    from gatewise import plots as plots
    from gatewise.declare import (
        AITM,
        CGC,
        DBMTL,
        DWA,
        FAMO,
        GRU,
        IMTLG,
        IMTLL,
        MGDA,
        PLE,
        RLW,
        STEM,
        AdaTT,
        AlignedMTL,
        Attention,
        AttentionGate,
        Binary,
        CAGrad,
        Calibration,
        Categorical,
        ConstrainedUncertainty,
        ConvolutionalExpert,
        Cosine,
        Count,
        CrossExpert,
        CrossStitch,
        Custom,
        DSelectKGate,
        DualProj,
        Duration,
        FacetAwareMoE,
        FairGrad,
        GeometricMean,
        GradNorm,
        HoME,
        LifetimeValue,
        MetaBalance,
        MLPExpert,
        MMoE,
        MoSE,
        Multiclass,
        NashMTL,
        Numeric,
        OMoE,
        Ordinal,
        PCGrad,
        PEPNet,
        Periodic,
        PiecewiseLinear,
        Plateau,
        Recipe,
        Regression,
        ResidualExpert,
        Schema,
        Sequence,
        SharedBottom,
        SideTower,
        SingleTask,
        SmoothTchebycheff,
        SoftmaxGate,
        SoftUncertainty,
        Static,
        StepDecay,
        Text,
        TopKGate,
        Training,
        Transformer,
        TunedStatic,
        Uncertainty,
        UPGrad,
        Vector,
    )
    from gatewise.errors import GatewiseError, GatewiseWarning
    from gatewise.jobs.comparison import compare
    from gatewise.jobs.fuse import fuse
    from gatewise.loading import load
    from gatewise.machine import tune_process
    from gatewise.own_kinds import register
    from gatewise.ranker import Ranker

__all__ = [
    "AITM",
    "CGC",
    "DBMTL",
    "DWA",
    "FAMO",
    "GRU",
    "IMTLG",
    "IMTLL",
    "MGDA",
    "PLE",
    "RLW",
    "STEM",
    "AdaTT",
    "AlignedMTL",
    "Attention",
    "AttentionGate",
    "Binary",
    "CAGrad",
    "Calibration",
    "Categorical",
    "ConstrainedUncertainty",
    "ConvolutionalExpert",
    "Cosine",
    "Count",
    "CrossExpert",
    "CrossStitch",
    "Custom",
    "DSelectKGate",
    "DualProj",
    "Duration",
    "FacetAwareMoE",
    "FairGrad",
    "GatewiseError",
    "GatewiseWarning",
    "GeometricMean",
    "GradNorm",
    "HoME",
    "LifetimeValue",
    "MLPExpert",
    "MMoE",
    "MetaBalance",
    "MoSE",
    "Multiclass",
    "NashMTL",
    "Numeric",
    "OMoE",
    "Ordinal",
    "PCGrad",
    "PEPNet",
    "Periodic",
    "PiecewiseLinear",
    "Plateau",
    "Ranker",
    "Recipe",
    "Regression",
    "ResidualExpert",
    "Schema",
    "Sequence",
    "SharedBottom",
    "SideTower",
    "SingleTask",
    "SmoothTchebycheff",
    "SoftUncertainty",
    "SoftmaxGate",
    "Static",
    "StepDecay",
    "Text",
    "TopKGate",
    "Training",
    "Transformer",
    "TunedStatic",
    "UPGrad",
    "Uncertainty",
    "Vector",
    "__version__",
    "compare",
    "fuse",
    "load",
    "register",
    "tune_process",
]

_HOME = {
    "Ranker": "gatewise.ranker",
    "load": "gatewise.loading",
    "register": "gatewise.own_kinds",
    **dict.fromkeys(("GatewiseError", "GatewiseWarning"), "gatewise.errors"),
    "compare": "gatewise.jobs.comparison",
    "fuse": "gatewise.jobs.fuse",
    "tune_process": "gatewise.machine",
}


def __getattr__(name: str) -> Any:
    if name == "plots":
        return importlib.import_module("gatewise.plots")
    if name not in __all__:
        raise AttributeError(f"module 'gatewise' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME.get(name, "gatewise.declare")), name)


def __dir__() -> list[str]:
    return [*__all__, "plots"]
