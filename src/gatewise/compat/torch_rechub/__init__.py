"""Scripts of torch-rechub: change ``torch_rechub`` in their imports to ``gatewise.compat.torch_rechub``.

The modules are those of torch-rechub 0.9; every name is here too.
"""

from gatewise.compat.torch_rechub.basic.features import DenseFeature, SequenceFeature, SparseFeature
from gatewise.compat.torch_rechub.models.multi_task import AITM, ESMM, MMOE, PLE, SharedBottom
from gatewise.compat.torch_rechub.trainers import MTLTrainer
from gatewise.compat.torch_rechub.utils.data import DataGenerator, PredictDataset, TorchDataset, df_to_dict

__all__ = [
    "AITM",
    "ESMM",
    "MMOE",
    "PLE",
    "DataGenerator",
    "DenseFeature",
    "MTLTrainer",
    "PredictDataset",
    "SequenceFeature",
    "SharedBottom",
    "SparseFeature",
    "TorchDataset",
    "df_to_dict",
]
