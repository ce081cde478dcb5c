"""The layers, in plain PyTorch: embedding tables, experts, gates, towers, trunks, and MMoE as one module.

No module here knows a schema, a table or a label; only torch is needed.
"""

from gatewise.nn import experts, gates, numbers, sequences, standalone, texts, trunks
from gatewise.nn.embedding import EmbeddingTables, check_ids
from gatewise.nn.expectation import BehaviouralExpectation
from gatewise.nn.experts import *
from gatewise.nn.feature_layer import FeatureLayer
from gatewise.nn.gate_unit import GateUnit
from gatewise.nn.gates import *
from gatewise.nn.gathered import gathered
from gatewise.nn.hidden import Hidden
from gatewise.nn.host_tables import HostTables, tables_of_kind
from gatewise.nn.id_dropout import IdDropout
from gatewise.nn.input_layer import InputLayer, Vectors
from gatewise.nn.layers import GroupLinear
from gatewise.nn.members import Members
from gatewise.nn.memory import enough_memory
from gatewise.nn.model import MultiTaskModel, Output
from gatewise.nn.numbers import *
from gatewise.nn.perceptrons import GroupMLP, GroupResidualMLP
from gatewise.nn.ragged import Ragged
from gatewise.nn.sequences import *
from gatewise.nn.sharded_tables import ShardedTables
from gatewise.nn.side_tower import SideTower
from gatewise.nn.standalone import *
from gatewise.nn.table import Batch, Inputs, TensorTable
from gatewise.nn.texts import *
from gatewise.nn.towers import AnyTowers, LinkedTowers, Towers, make_towers
from gatewise.nn.trunks import *

__all__ = [
    "AnyTowers",
    "Batch",
    "BehaviouralExpectation",
    "EmbeddingTables",
    "FeatureLayer",
    "GateUnit",
    "GroupLinear",
    "GroupMLP",
    "GroupResidualMLP",
    "Hidden",
    "HostTables",
    "IdDropout",
    "InputLayer",
    "Inputs",
    "LinkedTowers",
    "Members",
    "MultiTaskModel",
    "Output",
    "Ragged",
    "ShardedTables",
    "SideTower",
    "TensorTable",
    "Towers",
    "Vectors",
    "check_ids",
    "enough_memory",
    "gathered",
    "make_towers",
    "tables_of_kind",
]
__all__ += experts.__all__
__all__ += gates.__all__
__all__ += numbers.__all__
__all__ += sequences.__all__
__all__ += standalone.__all__
__all__ += texts.__all__
__all__ += trunks.__all__
