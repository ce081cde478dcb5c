"""Trunks: ``[batch, dim] -> [batch, task, hidden]``; each shares parameters between tasks in its own way.

A trunk does not know features or labels. A new trunk is a file here with a subclass of :class:`Trunk`, and a
declaration of its options in ``gatewise.declare.architectures``.
"""

from gatewise.nn.trunks.adatt import AdaTT
from gatewise.nn.trunks.aitm import AITM
from gatewise.nn.trunks.cgc import CGC
from gatewise.nn.trunks.cross_stitch import CrossStitch
from gatewise.nn.trunks.facet_aware_moe import FacetAwareMoE
from gatewise.nn.trunks.home import HoME
from gatewise.nn.trunks.levels import Level, hooked, levels_of
from gatewise.nn.trunks.mmoe import MMoE
from gatewise.nn.trunks.mose import MoSE
from gatewise.nn.trunks.omoe import OMoE
from gatewise.nn.trunks.pepnet import PEPNet
from gatewise.nn.trunks.ple import PLE
from gatewise.nn.trunks.shared_bottom import SharedBottom
from gatewise.nn.trunks.single_task import SingleTask
from gatewise.nn.trunks.stem import STEM
from gatewise.nn.trunks.trunk import Mixed, Trunk

__all__ = [
    "AITM",
    "CGC",
    "PLE",
    "STEM",
    "AdaTT",
    "CrossStitch",
    "FacetAwareMoE",
    "HoME",
    "Level",
    "MMoE",
    "Mixed",
    "MoSE",
    "OMoE",
    "PEPNet",
    "SharedBottom",
    "SingleTask",
    "Trunk",
    "hooked",
    "levels_of",
]
