"""The Open Inference Protocol, version 2, over HTTP: what clients of Triton and KServe speak.

A tensor is a column of raw values by its name, ``[row]`` or ``[row, 1]``; a list feature also takes ``[row, item]``,
whose empty strings do not count as items. Tensors are JSON, or the bytes after the JSON (extension
``binary_tensor_data``).

https://github.com/open-inference/open-inference-protocol
"""

from gatewise.http.inference.answer import Answer, answer
from gatewise.http.inference.metadata import metadata, server_metadata
from gatewise.http.inference.request import InferRequest, parse_request
from gatewise.http.inference.tensors import HEADER

__all__ = ["HEADER", "Answer", "InferRequest", "answer", "metadata", "parse_request", "server_metadata"]
