"""Metadata of the service and of a model's inputs and outputs."""

from __future__ import annotations

from typing import Any

from gatewise.http.model import ServedModel
from gatewise.names import GATES
from gatewise.version import __version__

FREE = -1
"""A size that differs from request to request."""
DATATYPES = {"float64": "FP64", "int64": "INT64", "string": "BYTES"}
"""The protocol's names of types."""


def server_metadata() -> dict[str, Any]:
    """Return name, version and extensions of the service."""
    return {"name": "gatewise", "version": __version__, "extensions": ["binary_tensor_data", "model_repository"]}


def metadata(model: ServedModel, versions: list[str]) -> dict[str, Any]:
    """Return a model's inputs and outputs."""
    inputs = [{"name": name, **_input(model, name)} for name in model.columns.names]
    outputs = [{"name": name, "datatype": "FP64", "shape": [FREE]} for name in model.scores]
    if model.gated:
        outputs.append({"name": GATES, "datatype": "FP32", "shape": [FREE, len(model.tasks), FREE]})
    return {"name": model.name, "versions": versions, "platform": "onnx_gatewise", "inputs": inputs, "outputs": outputs}


def _input(model: ServedModel, name: str) -> dict[str, Any]:
    descriptions = model.columns.descriptions_of(name)
    if not descriptions:
        return {"datatype": "FP64", "shape": [FREE]}
    found = descriptions[0]
    return {"datatype": DATATYPES[found.dtype], "shape": [FREE, *(FREE if dim is None else dim for dim in found.dims)]}
