"""From a trained scorer to a file that runs without Gatewise.

What is exported is the whole of ``predict``: model, links of the tasks, calibration, fusion. It has two forms. In the
*encoded* one (:class:`EncodedForm`) inputs are the matrices that the table encoder makes.
"""

from gatewise.export.encoded_form import EncodedForm
from gatewise.export.onnx_model import onnx_bytes
from gatewise.export.program import FUSED, GATES

__all__ = ["FUSED", "GATES", "EncodedForm", "onnx_bytes"]
