"""Everything a person can write down: features, tasks, architectures, balancing, training, recipes.

Declarations hold no tensors and no state. They are frozen, compare by value, go to JSON and YAML and back, and
refuse unknown options by their path. Each option is declared here and nowhere else: Python calls, recipes and
messages all read it.
"""

from gatewise.declare.architectures import (
    AITM,
    CGC,
    PLE,
    STEM,
    AdaTT,
    AnyArchitecture,
    Architecture,
    CrossStitch,
    FacetAwareMoE,
    HoME,
    MMoE,
    MoSE,
    OMoE,
    PEPNet,
    SharedBottom,
    SingleTask,
)
from gatewise.declare.balance import AnyBalance, Static, Uncertainty
from gatewise.declare.base import from_dict, to_dict
from gatewise.declare.calibration import Calibration
from gatewise.declare.experts import AnyExpert, ConvolutionalExpert, CrossExpert, MLPExpert, ResidualExpert
from gatewise.declare.features import Categorical, Feature, Numeric, Sequence, Text, Vector
from gatewise.declare.funnels import outputs_of, path_to
from gatewise.declare.gates import AnyGate, AttentionGate, DSelectKGate, SoftmaxGate, TopKGate
from gatewise.declare.number_embeddings import Periodic, PiecewiseLinear
from gatewise.declare.options import Options
from gatewise.declare.poolings import GRU, Attention, Transformer
from gatewise.declare.recipe import Data, Recipe, Split
from gatewise.declare.schema import Schema, column_of, embedding_dim
from gatewise.declare.side_tower import SideTower
from gatewise.declare.tasks import (
    Binary,
    Count,
    Custom,
    Duration,
    Label,
    LifetimeValue,
    Multiclass,
    Ordinal,
    Regression,
    Task,
)
from gatewise.declare.training import Cosine, Plateau, StepDecay, Training

__all__ = [
    "AITM",
    "CGC",
    "GRU",
    "PLE",
    "STEM",
    "AdaTT",
    "AnyArchitecture",
    "AnyBalance",
    "AnyExpert",
    "AnyGate",
    "Architecture",
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
    "Data",
    "Duration",
    "FacetAwareMoE",
    "Feature",
    "HoME",
    "Label",
    "LifetimeValue",
    "MLPExpert",
    "MMoE",
    "MoSE",
    "Multiclass",
    "Numeric",
    "OMoE",
    "Options",
    "Ordinal",
    "PEPNet",
    "Periodic",
    "PiecewiseLinear",
    "Plateau",
    "Recipe",
    "Regression",
    "ResidualExpert",
    "Schema",
    "Sequence",
    "SharedBottom",
    "SideTower",
    "SingleTask",
    "SoftmaxGate",
    "Split",
    "Static",
    "StepDecay",
    "Task",
    "Text",
    "TopKGate",
    "Training",
    "Transformer",
    "Uncertainty",
    "Vector",
    "column_of",
    "embedding_dim",
    "from_dict",
    "outputs_of",
    "path_to",
    "to_dict",
]
