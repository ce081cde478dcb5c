"""Answers: named tensors, in JSON or in the bytes after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import orjson

from gatewise.http.inference.request import InferRequest
from gatewise.http.inference.tensors import NAMES, to_bytes
from gatewise.http.model import ServedModel


class Answer(NamedTuple):
    """The body, and how many bytes of it are JSON where tensors follow; None: all."""

    body: bytes
    json_bytes: int | None


def answer(model: ServedModel, asked: InferRequest, found: Mapping[str, np.ndarray]) -> Answer:
    """Return the answer with the wanted outputs."""
    tensors, raw = [], []
    for name, binary in asked.outputs.items():
        tensor: dict[str, Any] = {"name": name, "datatype": NAMES[found[name].dtype], "shape": [*found[name].shape]}
        if binary:
            raw.append(to_bytes(found[name]))
            tensor["parameters"] = {"binary_data_size": len(raw[-1])}
        else:
            tensor["data"] = found[name].ravel().tolist()
        tensors.append(tensor)
    head: dict[str, Any] = {"model_name": model.name, "model_version": model.version, "outputs": tensors}
    text = orjson.dumps(head if asked.id is None else {"id": asked.id, **head})
    return Answer(b"".join([text, *raw]), len(text) if raw else None)
