"""Requests: named tensors, and the wanted outputs."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from gatewise.errors import did_you_mean, shown
from gatewise.http.errors import RequestError
from gatewise.http.inference.missing import MISSING, marked, owner_of, unsaid
from gatewise.http.inference.tensors import BYTES, check_datatype, from_bytes, from_json, in_rows
from gatewise.http.limits import Limits
from gatewise.http.lists import check_places
from gatewise.http.model import ServedModel
from gatewise.http.requests import kind_of, parsed
from gatewise.names import GATES


@dataclass(frozen=True)
class InferRequest:
    """A parsed request.

    Attributes:
        columns: raw values by column.
        rows: the number of rows.
        outputs: the wanted outputs, and whether each is answered in bytes.
        id: repeated in the answer.
    """

    columns: dict[str, list[Any]]
    rows: int
    outputs: dict[str, bool] = field(default_factory=dict)
    id: str | None = None


def parse_request(model: ServedModel, body: bytes, json_bytes: str | None, limits: Limits) -> InferRequest:
    """Read a request.

    Args:
        model: the model that is asked.
        body: JSON and, in the binary form, the bytes of tensors.
        json_bytes: the header that says how many bytes are JSON.
        limits: of the number of rows.

    Raises:
        RequestError: a field is not valid; names it.
    """
    text, binary = _cut(body, json_bytes)
    asked = parsed(text)
    if not isinstance(asked, dict):
        raise RequestError(f"body: expected an object, found {kind_of(asked)}")
    inputs = asked.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise RequestError("inputs: expected a list of tensors")
    columns, rows = _columns(model, inputs, binary, limits)
    id_ = asked.get("id")
    if id_ is not None and not isinstance(id_, str):
        raise RequestError(f"id: expected a string, found {kind_of(id_)}")
    return InferRequest(columns, rows, _outputs(model, asked), id_)


def _cut(body: bytes, json_bytes: str | None) -> tuple[bytes, memoryview]:
    if json_bytes is None:
        return body, memoryview(b"")
    if not json_bytes.isdecimal() or len(json_bytes) > 12 or int(json_bytes) > len(body):
        raise RequestError(f"Inference-Header-Content-Length: expected 0 to {len(body)}, found {json_bytes!r:.40}", 400)
    return body[: int(json_bytes)], memoryview(body)[int(json_bytes) :]


def _columns(
    model: ServedModel, inputs: list[Any], binary: memoryview, limits: Limits
) -> tuple[dict[str, list[Any]], int]:
    columns: dict[str, list[Any]] = {}
    missing: dict[str, list[Any]] = {}
    first, rows, start = "", 0, 0
    for place, tensor in enumerate(inputs):
        name, shape = _described(tensor, place)
        owner = owner_of(name, model.columns.names)
        model.columns.check_names([name] if owner is None else [owner], "inputs")
        if name in columns or owner in missing:
            raise RequestError(f"input {name!r}: is there twice")
        if first and shape[0] != rows:
            raise RequestError(f"input {name!r}: has {shape[0]:,} rows, {first!r} has {rows:,}")
        first, rows = first or name, shape[0]
        if not 0 < rows <= limits.rows:
            raise RequestError(f"input {name!r}: expected 1 to {limits.rows:,} rows, found {rows:,}")
        values, used = _values(tensor, binary[start:])
        start += used
        if owner is None:
            columns[name] = _as_column(model, tensor, unsaid(model, tensor, values, in_bytes=used > 0), limits)
        else:
            missing[owner] = marked(name, tensor, values)
    if start != len(binary):
        raise RequestError(f"body: {len(binary) - start:,} bytes belong to no input")
    for name, marks in missing.items():
        if name not in columns:
            raise RequestError(f"input {name + MISSING!r}: there is no input {name!r} that it belongs to")
        columns[name] = [None if mark else value for value, mark in zip(columns[name], marks, strict=True)]
    return columns, rows


def _values(tensor: dict[str, Any], binary: memoryview) -> tuple[list[Any], int]:
    """Return a tensor's values, and how many bytes of ``binary`` it takes."""
    name, datatype, count = tensor["name"], tensor["datatype"], math.prod(tensor["shape"])
    size = _parameters(tensor, f"input {name!r}").get("binary_data_size")
    if size is None:
        return from_json(name, datatype, tensor.get("data"), count), 0
    if type(size) is not int or not 0 <= size <= len(binary):
        raise RequestError(f"input {name!r}: binary_data_size {size!r:.40}, and {len(binary)} bytes are left")
    return from_bytes(name, datatype, binary[:size], count), size


def _described(tensor: Any, place: int) -> tuple[str, list[int]]:
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        raise RequestError(f"inputs[{place}]: expected an object with a name")
    name: str = tensor["name"]
    shape: Any = tensor.get("shape")
    sizes = isinstance(shape, list) and all(type(size) is int and 0 <= size < 2**31 for size in shape)
    if not sizes or len(shape) not in (1, 2):
        raise RequestError(f"input {name!r:.80}: expected a shape of [rows] or [rows, items], found {shape!r:.80}")
    check_datatype(name, tensor.get("datatype"))
    return name, shape


def _parameters(owner: dict[str, Any], where: str) -> dict[str, Any]:
    found = owner.get("parameters")
    if found is not None and not isinstance(found, dict):
        raise RequestError(f"{where}: expected an object as its parameters, found {kind_of(found)}")
    return found or {}


def _as_column(model: ServedModel, tensor: dict[str, Any], values: list[Any], limits: Limits) -> list[Any]:
    """Return one value per row: a list where the tensor has items and a feature reads lists."""
    name, shape = tensor["name"], tensor["shape"]
    if len(shape) == 1:
        return values
    dims = model.columns.dims_of(name)
    if any(sizes and None not in sizes for sizes in dims):
        # a vector of missing numbers is a missing vector
        return [None if row and all(x is None for x in row) else row for row in in_rows(values, shape)]
    if any(None in sizes for sizes in dims):
        if shape[1] == 1 and tensor["datatype"] == BYTES:
            # clients of one fixed shape send a list as one string per row, with its separators
            return values
        check_places(name, shape[0], shape[1], limits)
        # an empty string is not an item, NaN is not a number: so lists of different lengths fit into one tensor
        nothing = None if model.columns.has_lists_of_numbers(name) else ""
        return [[item for item in row if item != nothing] for row in in_rows(values, shape)]
    if shape[1] != 1:
        raise RequestError(f"input {name!r}: expected a shape of [{shape[0]}], found {shape}")
    return values


def _outputs(model: ServedModel, asked: dict[str, Any]) -> dict[str, bool]:
    binary = _parameters(asked, "body").get("binary_data_output") is True
    wanted = asked.get("outputs")
    if not wanted:
        return dict.fromkeys(model.scores, binary)
    if not isinstance(wanted, list):
        raise RequestError(f"outputs: expected a list, found {kind_of(wanted)}")
    known, found = [*model.scores, *([GATES] if model.gated else [])], {}
    for place, output in enumerate(wanted):
        name = output.get("name") if isinstance(output, dict) else None
        if name not in known:
            hint = did_you_mean(str(name)[:80], known) or f" (outputs: {shown(known)})"
            raise RequestError(f"outputs[{place}]: no output {name!r:.80}{hint}")
        found[name] = _parameters(output, f"output {name!r}").get("binary_data", binary) is True
    return found
