"""An artefact as files that run without Gatewise."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from gatewise.errors import DeclarationError
from gatewise.export import Exported, export_onnx, export_torch, with_int8_embeddings
from gatewise.serving import Scorer
from gatewise.tasks import Metrics


@dataclass
class ExportReport:
    """What was written.

    Attributes:
        files: each with its size and the largest difference that was found.
        before, after: metrics on the table of the check with full embeddings and with those of eight bits; empty where
            nothing was rounded, or there is no table.
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
    check: Path | None = None,
    int8_embeddings: bool = False,
) -> ExportReport:
    """Write a scorer as ONNX, as a program of ``torch.export``, or both.

    Args:
        scorer: of an artefact.
        onnx: the file of ONNX; None: none.
        torch: the file of ``torch.export``; None: none.
        inputs: of the ONNX file, ``raw`` or ``encoded``.
        check: a table whose rows are compared; with ``int8_embeddings`` also the one that metrics are taken on.
        int8_embeddings: round the embeddings to eight bits.

    Raises:
        DeclarationError: no file is asked for.
        ExportError: a file would predict something else than the scorer.
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
