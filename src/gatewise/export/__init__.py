"""From a trained scorer to a file that runs without Gatewise.

The file holds the whole of ``predict``: model, links of the tasks, calibration, fusion. It has two forms. In the *raw*
form (:class:`RawForm`) inputs are the columns of a table, and vocabularies and transforms of numbers are part of the
model; in the *encoded* form (:class:`EncodedForm`) inputs are the matrices that the table encoder makes. Every model is
compared with the scorer before its file is written.
"""

from gatewise.data import sample_rows
from gatewise.export.encoded_form import EncodedForm, PortNames, port_names
from gatewise.export.int8 import with_int8_embeddings
from gatewise.export.onnx_model import Exported, export_onnx, onnx_bytes
from gatewise.export.onnx_scorer import OnnxScorer
from gatewise.export.raw_form import RawForm
from gatewise.export.torch_program import export_torch
from gatewise.names import FUSED, GATES

__all__ = [
    "FUSED",
    "GATES",
    "EncodedForm",
    "Exported",
    "OnnxScorer",
    "PortNames",
    "RawForm",
    "export_onnx",
    "export_torch",
    "onnx_bytes",
    "port_names",
    "sample_rows",
    "with_int8_embeddings",
]
