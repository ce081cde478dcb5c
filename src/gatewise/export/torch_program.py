"""Scorers as programs of ``torch.export``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import torch

from gatewise.data import sample_rows
from gatewise.declare import Fusion
from gatewise.export.encoded_form import EncodedForm
from gatewise.export.metadata import describe
from gatewise.export.onnx_model import Exported
from gatewise.export.parity import check_parity
from gatewise.export.program import Program
from gatewise.export.tracing import quiet, traced
from gatewise.export.twins import for_any_batch, with_twins
from gatewise.files import write_atomically
from gatewise.serving import Scorer


def export_torch(scorer: Scorer, path: str | Path, *, fusion: Fusion | None = None, check: Any = None) -> Exported:
    """Write a scorer as a program that ``torch.export.load`` reads where Gatewise is not installed.

    The program takes the inputs of :class:`EncodedForm`, in their order, and returns a dict of the outputs. Its
    properties are extra files, with the names of the properties of an ONNX file.

    Args:
        scorer: encoder, model, tasks and calibration.
        path: the file, such as ``model.pt2``, written whole or not at all.
        fusion: makes one score of all predictions; by default the scorer's own, if it has one.
        check: a table whose rows are compared; by default made-up rows with known, unseen and null values.

    Raises:
        ExportError: an operation of the model cannot be traced, or the program's outputs differ; says where.
        ArtefactError: the file cannot be written.
    """
    fusion = fusion or scorer.fusion
    form = EncodedForm(scorer, fusion)
    program = Program(scorer, form, fusion)
    with _recurrent_loops():
        graph = traced(with_twins(program, for_any_batch))
    rows = sample_rows(scorer.encoder) if check is None else check
    differences: list[float] = []

    def write(temporary: Path) -> None:
        # torch's writer ends the process if the disk is full, so it writes into memory
        content = BytesIO()
        with quiet():
            torch.export.save(graph, content, extra_files=describe(program))
        temporary.write_bytes(content.getbuffer())
        # the written file is checked, not the program in memory
        with quiet(), temporary.open("rb") as file:
            loaded = torch.export.load(file).module()
        fed = [torch.from_numpy(array) for array in form.feed_table(rows).values()]
        found = {name: column.detach().numpy() for name, column in loaded(*fed).items()}
        differences.append(check_parity(scorer, rows, found, fusion))

    write_atomically(Path(path), write)
    return Exported(Path(path), Path(path).stat().st_size, differences[0])


@contextlib.contextmanager
def _recurrent_loops() -> Iterator[None]:
    """Trace recurrent networks as loops; traced step by step, they would have a fixed length."""
    try:
        from torch.export import _patches
    except ImportError:
        yield
        return
    with _patches.register_lstm_while_loop_decomposition(), _patches.register_gru_while_loop_decomposition():
        yield
