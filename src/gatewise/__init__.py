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
    from gatewise.declare import (
        AITM,
        CGC,
        GRU,
        PLE,
        STEM,
        AdaTT,
        Attention,
        AttentionGate,
        Binary,
        Calibration,
        Categorical,
        ConvolutionalExpert,
        Cosine,
        Count,
        CrossExpert,
        CrossStitch,
        Custom,
        DSelectKGate,
        Duration,
        FacetAwareMoE,
        HoME,
        LifetimeValue,
        MLPExpert,
        MMoE,
        MoSE,
        Multiclass,
        Numeric,
        OMoE,
        Ordinal,
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
        SoftmaxGate,
        Static,
        StepDecay,
        Text,
        TopKGate,
        Training,
        Transformer,
        Uncertainty,
        Vector,
    )
    from gatewise.errors import GatewiseError, GatewiseWarning
    from gatewise.jobs.comparison import compare
    from gatewise.ranker import Ranker, load

__all__ = [
    "AITM",
    "CGC",
    "GRU",
    "PLE",
    "STEM",
    "AdaTT",
    "Attention",
    "AttentionGate",
    "Binary",
    "Calibration",
    "Categorical",
    "ConvolutionalExpert",
    "Cosine",
    "Count",
    "CrossExpert",
    "CrossStitch",
    "Custom",
    "DSelectKGate",
    "Duration",
    "FacetAwareMoE",
    "GatewiseError",
    "GatewiseWarning",
    "HoME",
    "LifetimeValue",
    "MLPExpert",
    "MMoE",
    "MoSE",
    "Multiclass",
    "Numeric",
    "OMoE",
    "Ordinal",
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
    "SoftmaxGate",
    "Static",
    "StepDecay",
    "Text",
    "TopKGate",
    "Training",
    "Transformer",
    "Uncertainty",
    "Vector",
    "__version__",
    "compare",
    "load",
]

_HOME = {
    **dict.fromkeys(("Ranker", "load"), "gatewise.ranker"),
    **dict.fromkeys(("GatewiseError", "GatewiseWarning"), "gatewise.errors"),
    "compare": "gatewise.jobs.comparison",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'gatewise' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOME.get(name, "gatewise.declare")), name)


def __dir__() -> list[str]:
    return list(__all__)
