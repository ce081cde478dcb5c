"""ONNX models of scorers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from gatewise.data import sample_rows
from gatewise.declare import Fusion
from gatewise.errors import DeclarationError, did_you_mean
from gatewise.export.encoded_form import EncodedForm
from gatewise.export.onnx_graph import to_onnx
from gatewise.export.onnx_scorer import FORMS, OnnxScorer
from gatewise.export.parity import check_parity
from gatewise.export.program import Program
from gatewise.files import write_atomically
from gatewise.serving import Scorer


class Exported(NamedTuple):
    """A written file.

    Attributes:
        path: the file.
        size: the file's size in bytes.
        difference: the largest difference between the file's outputs and the model's, over all checked rows.
    """

    path: Path
    size: int
    difference: float


def onnx_bytes(scorer: Scorer, fusion: Fusion | None = None) -> bytes:
    """Return a scorer as an ONNX model in the encoded form.

    Inputs are those of :class:`EncodedForm`. Outputs are the columns of ``predict`` ``[batch]`` by name, calibrated
    where the scorer is; ``fused`` if there is a fusion; ``gates`` ``[batch, task, expert]`` if the trunk has gates.
    Batches and lists may have any size, 0 too.

    Args:
        scorer: encoder, model, tasks and calibration.
        fusion: makes one score of all predictions.

    Raises:
        MissingExtraError: ``onnx`` or ``onnxscript`` is not installed.
        ExportError: an operation of the model cannot be expressed in ONNX, or an input has the name of an output.
    """
    return _bytes(Program(scorer, EncodedForm(scorer, fusion), fusion))


def export_onnx(
    scorer: Scorer,
    path: str | Path,
    *,
    fusion: Fusion | None = None,
    inputs: str = "raw",
    check: Any = None,
) -> Exported:
    """Write a scorer as an ONNX file, after comparing its outputs with the scorer's.

    Args:
        scorer: encoder, model, tasks and calibration.
        path: the file, written whole or not at all.
        fusion: makes one score of all predictions; by default the scorer's own, if it has one.
        inputs: the form: ``raw`` or ``encoded``, see :class:`RawForm` and :class:`EncodedForm`.
        check: a table whose rows are compared; by default made-up rows with known, unseen and null values.

    Raises:
        DeclarationError: the form is unknown.
        MissingExtraError: a package of the extra ``export`` is not installed.
        ExportError: an operation of the model cannot be expressed in ONNX, or outputs differ; says where.
        ArtefactError: the file cannot be written.
    """
    if inputs not in FORMS:
        raise DeclarationError(f"inputs: expected raw or encoded, found {inputs!r}{did_you_mean(inputs, FORMS)}")
    fusion = fusion or scorer.fusion
    model = _bytes(Program(scorer, FORMS[inputs](scorer, fusion), fusion))
    rows = sample_rows(scorer.encoder) if check is None else check
    difference = check_parity(scorer, rows, OnnxScorer(model, scorer).run(rows), fusion)
    write_atomically(Path(path), _writer(model))
    return Exported(Path(path), len(model), difference)


def _bytes(program: Program) -> bytes:
    model = to_onnx(program)
    import onnx_ir as ir

    return ir.to_proto(model).SerializeToString()


def _writer(content: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        path.write_bytes(content)

    return write
