"""ONNX models of scorers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatewise.export.encoded_form import EncodedForm
from gatewise.export.onnx_graph import to_onnx
from gatewise.export.program import Program
from gatewise.serving import Scorer

if TYPE_CHECKING:
    from gatewise.export.ports import Fusion


def onnx_bytes(scorer: Scorer, fusion: Fusion | None = None) -> bytes:
    """Return a scorer as an ONNX model in the encoded form.

    Its inputs are those of :class:`EncodedForm`, its outputs those of :class:`gatewise.export.program.Program`: every
    column of ``predict`` by its name, calibrated where the scorer is, ``[batch]``; ``fused`` where there is a fusion;
    ``gates`` ``[batch, task, expert]`` where the trunk has gates. Batches and lists may have any size, 0 too.

    Args:
        scorer: encoder, model, tasks and calibration.
        fusion: makes one score of all predictions.

    Raises:
        MissingExtraError: ``onnx`` or ``onnxscript`` is not installed.
        ExportError: something in the model cannot be said in ONNX, or two inputs or outputs have one name.
    """
    import onnx_ir as ir

    return ir.to_proto(to_onnx(Program(scorer, EncodedForm(scorer), fusion))).SerializeToString()
