"""Predictions by ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gatewise.declare import Fusion
from gatewise.errors import ArtefactError, MissingExtraError
from gatewise.export.encoded_form import EncodedForm
from gatewise.export.metadata import FORM, FUSION
from gatewise.export.ports import Form
from gatewise.export.raw_form import RawForm
from gatewise.serving import Scorer


class OnnxScorer:
    """Predicts from tables with an ONNX model, and with the encoder that reads the tables.

    Args:
        model: a file, or its bytes.
        scorer: its model was exported; its encoder makes the inputs.
        threads: the number of threads of ONNX Runtime.

    Raises:
        MissingExtraError: ``onnxruntime`` is not installed.
        ArtefactError: the model is not an ONNX model that Gatewise wrote.
    """

    def __init__(self, model: bytes | str | Path, scorer: Scorer, threads: int = 1) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise MissingExtraError("export", "running an ONNX model") from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        options.log_severity_level = 3
        given = model if isinstance(model, bytes) else str(model)
        try:
            self.session = onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            shown = "the bytes" if isinstance(model, bytes) else repr(str(model))
            raise ArtefactError(f"{shown}: no ONNX model that can be run: {error}") from None
        self.outputs = [output.name for output in self.session.get_outputs()]
        self.form = self._form(scorer)

    def _form(self, scorer: Scorer) -> Form:
        metadata = self.session.get_modelmeta().custom_metadata_map
        kind = metadata.get(FORM)
        if kind not in FORMS:
            raise ArtefactError("this ONNX model does not say its form: it was not written by gatewise export")
        text = metadata.get(FUSION)
        return FORMS[kind](scorer, None if text is None else Fusion.parse(text))

    def run(self, source: Any) -> dict[str, np.ndarray]:
        """Return all outputs for a table, by name."""
        found = self.session.run(None, self.form.feed_table(source))
        return dict(zip(self.outputs, found, strict=True))

    def predict(self, source: Any) -> pa.Table:
        """Return the predicted columns of a table."""
        return pa.table({name: column for name, column in self.run(source).items() if column.ndim == 1})


FORMS: dict[str, type[EncodedForm] | type[RawForm]] = {form.kind: form for form in (EncodedForm, RawForm)}
"""Forms by name."""
