"""What a client may know of a model before it asks."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from gatewise.data.plain_types import is_string
from gatewise.declare import Categorical, Feature, Numeric, Sequence, Vector
from gatewise.http.model import ServedModel
from gatewise.names import GATES
from gatewise.version import __version__

FREE = -1
"""A size that the request decides."""


def server_metadata() -> dict[str, Any]:
    """Return what the service is."""
    return {"name": "gatewise", "version": __version__, "extensions": ["binary_tensor_data", "model_repository"]}


def metadata(model: ServedModel, versions: list[str]) -> dict[str, Any]:
    """Return a model's inputs and outputs."""
    inputs = [{"name": name, **_input(model, name)} for name in model.columns.names]
    outputs = [{"name": name, "datatype": "FP64", "shape": [FREE]} for name in model.scores]
    if model.gated:
        outputs.append({"name": GATES, "datatype": "FP32", "shape": [FREE, len(model.tasks), FREE]})
    return {"name": model.name, "versions": versions, "platform": "onnx_gatewise", "inputs": inputs, "outputs": outputs}


def _input(model: ServedModel, name: str) -> dict[str, Any]:
    features = model.columns.features_of(name)
    return _of_feature(model, features[0]) if features else {"datatype": "FP64", "shape": [FREE]}


def _of_feature(model: ServedModel, feature: Feature) -> dict[str, Any]:
    match feature:
        case Numeric():
            return {"datatype": "FP64", "shape": [FREE]}
        case Vector(size=size):
            return {"datatype": "FP64", "shape": [FREE, size]}
        case Categorical() | Sequence():
            vocabulary = model.columns.vocabulary_of(feature)
            strings = vocabulary.type is None or is_string(vocabulary.type) or pa.types.is_null(vocabulary.type)
            shape = [FREE, FREE] if isinstance(feature, Sequence) else [FREE]
            return {"datatype": "BYTES" if strings else "INT64", "shape": shape}
    return {"datatype": "BYTES", "shape": [FREE]}
