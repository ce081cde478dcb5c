"""Export: an artefact as files that run without Gatewise."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gatewise.errors import DeclarationError
from gatewise.export import Exported, export_onnx, export_torch, with_int8_embeddings
from gatewise.serving import Scorer
from gatewise.tasks import Metrics


@dataclass
class ExportReport:
    """The result of an export.

    Attributes:
        files: the written files, each with its size and largest difference.
        before, after: metrics on the ``check`` table with full and with 8-bit embeddings; empty without ``check`` or
            without rounding.
    """

    files: list[Exported] = field(default_factory=list)
    before: Metrics = field(default_factory=dict)
    after: Metrics = field(default_factory=dict)


def export_files(
    scorer: Scorer,
    onnx: Path | None = None,
    torch: Path | None = None,
    *,
    inputs: str = "raw",
    check: Any = None,
    int8_embeddings: bool = False,
) -> ExportReport:
    """Write a scorer as ONNX, as a program of ``torch.export``, or both.

    Args:
        scorer: of an artefact.
        onnx: the file for ONNX; None: not written.
        torch: the file for ``torch.export``; None: not written.
        inputs: the form of the ONNX file's inputs, ``raw`` or ``encoded``.
        check: a table whose rows are compared; with ``int8_embeddings`` metrics are computed on it, too.
        int8_embeddings: round the embeddings to eight bits.

    Raises:
        DeclarationError: no file is asked for.
        ExportError: the predictions of a file would differ from the scorer's.
    """
    if onnx is None and torch is None:
        raise DeclarationError("export: expected a file to write, found none: give --onnx or --torch")
    report, exported = ExportReport(), scorer
    if int8_embeddings:
        exported = with_int8_embeddings(scorer)
        if check is not None:
            calibrated = bool(scorer.calibration)
            report.before, report.after = (each.evaluate(check, calibrated=calibrated) for each in (scorer, exported))
    if onnx is not None:
        report.files.append(export_onnx(exported, onnx, inputs=inputs, check=check))
    if torch is not None:
        report.files.append(export_torch(exported, torch, check=check))
    return report
