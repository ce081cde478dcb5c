"""Engines: encoded inputs in, predictions out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from gatewise.errors import MissingExtraError

Arrays = Mapping[str, np.ndarray]
"""Arrays by name, all with the same number of rows: inputs of a model, or its outputs."""


class Engine(Protocol):
    """Runs a model.

    Attributes:
        inputs: the names of the arrays that it reads.
        outputs: the names of the arrays that it gives.
    """

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def run(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """Return all outputs; called by one thread at a time."""
        ...


class OnnxEngine:
    """Runs a model with ONNX Runtime, in one thread.

    Args:
        model: an ONNX model of encoded inputs.

    Raises:
        MissingExtraError: ``onnxruntime`` is not installed.
    """

    def __init__(self, model: bytes) -> None:
        runtime = _onnxruntime()
        options = runtime.SessionOptions()
        # requests run side by side: threads within one request would only wait for one another
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self.inputs = tuple(found.name for found in self._session.get_inputs())
        self.outputs = tuple(found.name for found in self._session.get_outputs())

    def run(self, inputs: Arrays) -> dict[str, np.ndarray]:
        """Return all outputs."""
        found = self._session.run(None, {name: inputs[name] for name in self.inputs})
        return dict(zip(self.outputs, found, strict=True))


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtraError("serve", "gatewise serve") from None
    return onnxruntime
