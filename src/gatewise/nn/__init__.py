"""The layers, in plain PyTorch: embedding tables, experts, gates, towers, trunks, and MMoE as one module.

Nothing here knows a schema, a table or a label, and nothing is needed but torch.
"""

from gatewise.nn.embedding import EmbeddingTables
from gatewise.nn.expectation import BehaviouralExpectation
from gatewise.nn.experts import (
    ConvolutionalExpert,
    CrossNetwork,
    Experts,
    MLPExperts,
    ModuleExperts,
    MultiHeadExperts,
    PerceptronExpert,
    ResidualMLP,
    output_width,
)
from gatewise.nn.feature_layer import FeatureLayer
from gatewise.nn.gate_unit import GateUnit
from gatewise.nn.gates import AttentionGates, DSelectKGates, Gated, Gates, SoftmaxGates, TopKGates, Usage
from gatewise.nn.gathered import gathered
from gatewise.nn.input_layer import InputLayer, Vectors
from gatewise.nn.layers import GroupLinear, GroupMLP
from gatewise.nn.model import MultiTaskModel, Output
from gatewise.nn.numbers import PeriodicEmbeddings, PiecewiseLinearEmbeddings
from gatewise.nn.ragged import Ragged
from gatewise.nn.residual import GroupResidualMLP
from gatewise.nn.sequences import Padded, RecurrentPooling, TargetAttention, TransformerPooling
from gatewise.nn.side_tower import SideTower
from gatewise.nn.standalone import FacetAwareMoEModel, MMoEModel, MMoERecommendationModel
from gatewise.nn.table import Batch, Inputs, TensorTable
from gatewise.nn.texts import TextBatch, TextEncoder, Texts
from gatewise.nn.towers import Towers
from gatewise.nn.trunks import (
    AITM,
    CGC,
    PLE,
    STEM,
    AdaTT,
    CrossStitch,
    FacetAwareMoE,
    HoME,
    Level,
    Mixed,
    MMoE,
    MoSE,
    OMoE,
    PEPNet,
    SharedBottom,
    SingleTask,
    Trunk,
    levels_of,
    tapped,
)

__all__ = [
    "AITM",
    "CGC",
    "PLE",
    "STEM",
    "AdaTT",
    "AttentionGates",
    "Batch",
    "BehaviouralExpectation",
    "ConvolutionalExpert",
    "CrossNetwork",
    "CrossStitch",
    "DSelectKGates",
    "EmbeddingTables",
    "Experts",
    "FacetAwareMoE",
    "FacetAwareMoEModel",
    "FeatureLayer",
    "GateUnit",
    "Gated",
    "Gates",
    "GroupLinear",
    "GroupMLP",
    "GroupResidualMLP",
    "HoME",
    "InputLayer",
    "Inputs",
    "Level",
    "MLPExperts",
    "MMoE",
    "MMoEModel",
    "MMoERecommendationModel",
    "Mixed",
    "MoSE",
    "ModuleExperts",
    "MultiHeadExperts",
    "MultiTaskModel",
    "OMoE",
    "Output",
    "PEPNet",
    "Padded",
    "PerceptronExpert",
    "PeriodicEmbeddings",
    "PiecewiseLinearEmbeddings",
    "Ragged",
    "RecurrentPooling",
    "ResidualMLP",
    "SharedBottom",
    "SideTower",
    "SingleTask",
    "SoftmaxGates",
    "TargetAttention",
    "TensorTable",
    "TextBatch",
    "TextEncoder",
    "Texts",
    "TopKGates",
    "Towers",
    "TransformerPooling",
    "Trunk",
    "Usage",
    "Vectors",
    "gathered",
    "levels_of",
    "output_width",
    "tapped",
]
