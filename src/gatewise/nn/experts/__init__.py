"""Experts: the networks that tasks share.

A kind of expert is one file and a declaration of its options in ``gatewise.declare.experts``. Any module from
``[batch, in]`` to ``[batch, out]`` can be an expert; equal multi-layer perceptrons are batched products.
"""

from gatewise.nn.experts.convolutional import ConvolutionalExpert
from gatewise.nn.experts.cross import CrossNetwork
from gatewise.nn.experts.experts import Experts
from gatewise.nn.experts.make import make_experts
from gatewise.nn.experts.mlp import MLPExperts
from gatewise.nn.experts.modules import ModuleExperts, output_width
from gatewise.nn.experts.multi_head import MultiHeadExperts
from gatewise.nn.experts.normalised import NormalisedExperts
from gatewise.nn.experts.owned import OwnedExperts
from gatewise.nn.experts.perceptron import ExpertNetwork
from gatewise.nn.experts.residual import ResidualMLP
from gatewise.nn.experts.sequences import SequenceExperts

__all__ = [
    "ConvolutionalExpert",
    "CrossNetwork",
    "ExpertNetwork",
    "Experts",
    "MLPExperts",
    "ModuleExperts",
    "MultiHeadExperts",
    "NormalisedExperts",
    "OwnedExperts",
    "ResidualMLP",
    "SequenceExperts",
    "make_experts",
    "output_width",
]
