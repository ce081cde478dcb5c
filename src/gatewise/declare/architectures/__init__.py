"""Architectures: how tasks share the layers between embeddings and predictions.

One file per architecture; options have the names and defaults of the trunk's arguments in ``gatewise.nn.trunks``.
"""

from __future__ import annotations

from typing import Annotated, Union

from pydantic import Field

from gatewise.declare.architectures.adatt import AdaTT
from gatewise.declare.architectures.aitm import AITM
from gatewise.declare.architectures.architecture import Architecture
from gatewise.declare.architectures.cgc import CGC
from gatewise.declare.architectures.cross_stitch import CrossStitch
from gatewise.declare.architectures.facet_aware_moe import FacetAwareMoE
from gatewise.declare.architectures.gated import GatedArchitecture
from gatewise.declare.architectures.home import HoME
from gatewise.declare.architectures.mmoe import MMoE
from gatewise.declare.architectures.mose import MoSE
from gatewise.declare.architectures.omoe import OMoE
from gatewise.declare.architectures.pepnet import PEPNet
from gatewise.declare.architectures.ple import PLE
from gatewise.declare.architectures.shared_bottom import SharedBottom
from gatewise.declare.architectures.single_task import SingleTask
from gatewise.declare.architectures.stem import STEM
from gatewise.declare.doors import OpenTo

AnyArchitecture = Annotated[
    Union[  # noqa: UP007
        SingleTask,
        SharedBottom,
        OMoE,
        MMoE,
        MoSE,
        FacetAwareMoE,
        CGC,
        PLE,
        AdaTT,
        PEPNet,
        STEM,
        CrossStitch,
        AITM,
        HoME,
    ],
    Field(discriminator="kind"),
    OpenTo("trunk"),
]

__all__ = [
    "AITM",
    "CGC",
    "PLE",
    "STEM",
    "AdaTT",
    "AnyArchitecture",
    "Architecture",
    "CrossStitch",
    "FacetAwareMoE",
    "GatedArchitecture",
    "HoME",
    "MMoE",
    "MoSE",
    "OMoE",
    "PEPNet",
    "SharedBottom",
    "SingleTask",
]
