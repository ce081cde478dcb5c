"""Everything a person can write down: features, tasks, architectures, balancing, training, recipes.

Declarations hold no tensors and no state. They are frozen, compare by value, go to JSON and YAML and back, and
refuse unknown options by their path. Each option is declared here and nowhere else: Python calls, recipes and
messages all read it.
"""

from gatewise.declare import architectures, balance, tasks
from gatewise.declare.architectures import *
from gatewise.declare.automatic import TableSize, chosen, resolved
from gatewise.declare.balance import *
from gatewise.declare.balance.balance import Balance
from gatewise.declare.base import (
    AUTO,
    Name,
    declaration,
    explain,
    from_dict,
    number_of,
    path_of,
    read_yaml,
    read_yaml_file,
    to_dict,
)
from gatewise.declare.calibration import Calibration
from gatewise.declare.cluster import Cluster
from gatewise.declare.delays import Instant, length_of
from gatewise.declare.doors import (
    RegisteredCallback,
    RegisteredMetric,
    RegisteredPooling,
    class_of,
    is_registered,
    made_of,
    register_kind,
    registered,
    registered_in,
    taken_by,
)
from gatewise.declare.events import EventAttention, EventId, EventNumber, Events
from gatewise.declare.experts import (
    AnyExpert,
    ConvolutionalExpert,
    CrossExpert,
    MLPExpert,
    RegisteredExpert,
    ResidualExpert,
)
from gatewise.declare.features import Categorical, Feature, Numeric, Sequence, Text, Vector, register_feature
from gatewise.declare.funnels import outputs_of, path_to
from gatewise.declare.fusion import Fusion
from gatewise.declare.gates import AnyGate, AttentionGate, DSelectKGate, Gate, RegisteredGate, SoftmaxGate, TopKGate
from gatewise.declare.interactions import AnyInteraction, CrossInteraction, Interaction
from gatewise.declare.number_embeddings import Periodic, PiecewiseLinear
from gatewise.declare.options import DEFAULT_MODEL, Options
from gatewise.declare.poolings import GRU, Attention, Transformer
from gatewise.declare.pretrained import ARROW_SUFFIXES, Pretrained
from gatewise.declare.recipe import Data, Recipe, Split, read_change, read_values
from gatewise.declare.rows import Rows, Sql, is_uri, located, named_rows, secrets_of, uri_of, without_secrets
from gatewise.declare.schema import DEFAULT_DIM, Schema, column_of, columns_of, embedding_dim, sequence_of
from gatewise.declare.search_space import Between, OneOf, Range, declared_at, search_space, with_option
from gatewise.declare.shared_tables import check_tables
from gatewise.declare.side_tower import SideTower
from gatewise.declare.signatures import spelled_out
from gatewise.declare.tasks import *
from gatewise.declare.track import MLflowTracking, TensorBoardTracking, Track, WandbTracking
from gatewise.declare.training import Cosine, Plateau, StepDecay, Training, TrainingOptions
from gatewise.declare.update import Update, UpdateOptions

__all__ = [
    "ARROW_SUFFIXES",
    "AUTO",
    "DEFAULT_DIM",
    "DEFAULT_MODEL",
    "GRU",
    "AnyExpert",
    "AnyGate",
    "AnyInteraction",
    "Attention",
    "AttentionGate",
    "Balance",
    "Between",
    "Calibration",
    "Categorical",
    "Cluster",
    "ConvolutionalExpert",
    "Cosine",
    "CrossExpert",
    "CrossInteraction",
    "DSelectKGate",
    "Data",
    "EventAttention",
    "EventId",
    "EventNumber",
    "Events",
    "Feature",
    "Fusion",
    "Gate",
    "Instant",
    "Interaction",
    "MLPExpert",
    "MLflowTracking",
    "Name",
    "Numeric",
    "OneOf",
    "Options",
    "Periodic",
    "PiecewiseLinear",
    "Plateau",
    "Pretrained",
    "Range",
    "Recipe",
    "RegisteredCallback",
    "RegisteredExpert",
    "RegisteredGate",
    "RegisteredMetric",
    "RegisteredPooling",
    "ResidualExpert",
    "Rows",
    "Schema",
    "Sequence",
    "SideTower",
    "SoftmaxGate",
    "Split",
    "Sql",
    "StepDecay",
    "TableSize",
    "TensorBoardTracking",
    "Text",
    "TopKGate",
    "Track",
    "Training",
    "TrainingOptions",
    "Transformer",
    "Update",
    "UpdateOptions",
    "Vector",
    "WandbTracking",
    "check_tables",
    "chosen",
    "class_of",
    "column_of",
    "columns_of",
    "declaration",
    "declared_at",
    "embedding_dim",
    "explain",
    "from_dict",
    "is_registered",
    "is_uri",
    "length_of",
    "located",
    "made_of",
    "named_rows",
    "number_of",
    "outputs_of",
    "path_of",
    "path_to",
    "read_change",
    "read_values",
    "read_yaml",
    "read_yaml_file",
    "register_feature",
    "register_kind",
    "registered",
    "registered_in",
    "resolved",
    "search_space",
    "secrets_of",
    "sequence_of",
    "spelled_out",
    "taken_by",
    "to_dict",
    "uri_of",
    "with_option",
    "without_secrets",
]
__all__ += architectures.__all__
__all__ += balance.__all__
__all__ += tasks.__all__
