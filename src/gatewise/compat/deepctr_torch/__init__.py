"""Scripts of DeepCTR-Torch: change ``deepctr_torch`` in their imports to ``gatewise.compat.deepctr_torch``.

The modules are those of DeepCTR-Torch 0.3; every name is here too.
"""

from gatewise.compat.deepctr_torch.callbacks import Callback, EarlyStopping, History, ModelCheckpoint
from gatewise.compat.deepctr_torch.inputs import (
    DenseFeat,
    SparseFeat,
    VarLenSparseFeat,
    build_input_features,
    get_feature_names,
)
from gatewise.compat.deepctr_torch.models import ESMM, MMOE, PLE, SharedBottom

__all__ = [
    "ESMM",
    "MMOE",
    "PLE",
    "Callback",
    "DenseFeat",
    "EarlyStopping",
    "History",
    "ModelCheckpoint",
    "SharedBottom",
    "SparseFeat",
    "VarLenSparseFeat",
    "build_input_features",
    "get_feature_names",
]
