"""Assembly: from declarations and encoded tables to modules and tensors."""

from gatewise.assembly.carried_over import carry_over
from gatewise.assembly.model import build_balance, build_model
from gatewise.assembly.pretrained import load_pretrained_vectors
from gatewise.assembly.shared_tables import shared_matrices
from gatewise.assembly.tasks import build_tasks
from gatewise.assembly.tensors import to_tensors
from gatewise.assembly.texts import load_language_models
from gatewise.assembly.trunks import TrunkContext, build_trunk
from gatewise.assembly.windows import WindowedRows

__all__ = [
    "TrunkContext",
    "WindowedRows",
    "build_balance",
    "build_model",
    "build_tasks",
    "build_trunk",
    "carry_over",
    "load_language_models",
    "load_pretrained_vectors",
    "shared_matrices",
    "to_tensors",
]
