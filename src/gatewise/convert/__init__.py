"""Trained models of other libraries become rankers, which predict the same: torch-rechub and DeepCTR-Torch.

A converted ranker is saved, loaded, explained, exported and served like any other. The other library need not be
installed to convert a file of weights.
"""

from gatewise.convert.convert import deepctr_torch, torch_rechub
from gatewise.convert.files import convert_file
from gatewise.convert.spec import FeatureSpec, Spec, TaskSpec

__all__ = ["FeatureSpec", "Spec", "TaskSpec", "convert_file", "deepctr_torch", "torch_rechub"]
