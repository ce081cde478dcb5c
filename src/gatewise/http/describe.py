"""The descriptions of all addresses, the source of ``/openapi.json``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gatewise.http.inference.tensors import HEADER, PYTHON
from gatewise.http.requests import PredictRequest, RankRequest, schema_of

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBERS: Schema = {"type": "object", "additionalProperties": {"type": "number"}}
GATES: Schema = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "number"}}}


def record(required: Schema, **optional: Schema) -> Schema:
    """Return the schema of an object."""
    return {"type": "object", "properties": {**required, **optional}, "required": [*required]}


def listed(items: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": items}


FAILURE = record({"error": TEXT})
MODEL: Schema = {"model": TEXT, "version": TEXT}
RANKED = record({"index": {"type": "integer"}, "scores": NUMBERS}, id={"type": ["integer", "string"]}, gates=GATES)
SKIPPED = record({"index": {"type": "integer"}, "id": {"type": ["integer", "string"]}})
RANKING = record({**MODEL, "order": TEXT, "candidates": listed(RANKED)}, fusion=TEXT, skipped=listed(SKIPPED))
PREDICTIONS = record({**MODEL, "rows": listed(NUMBERS)}, gates=listed(GATES))
SHAPE = listed({"type": "integer", "minimum": 0, "maximum": 2**31 - 1})
PARAMETERS: Schema = {"type": "object"}
INPUT = record(
    {"name": TEXT, "datatype": {"enum": [*PYTHON]}, "shape": {**SHAPE, "minItems": 1, "maxItems": 2}},
    data={"type": "array"},
    parameters=PARAMETERS,
)
INFER = record(
    {"inputs": {**listed(INPUT), "minItems": 1}},
    id=TEXT,
    parameters=PARAMETERS,
    outputs=listed(record({"name": TEXT}, parameters=PARAMETERS)),
)
TENSOR = record({"name": TEXT, "datatype": TEXT, "shape": listed({"type": "integer"})}, data={"type": "array"})
INFERRED = record({"model_name": TEXT, "model_version": TEXT, "outputs": listed(TENSOR)}, id=TEXT)
PORTS = listed(record({"name": TEXT, "datatype": TEXT, "shape": listed({"type": "integer"})}))
METADATA = record({"name": TEXT, "versions": listed(TEXT), "platform": TEXT, "inputs": PORTS, "outputs": PORTS})

FLAG: Schema = {"type": "boolean"}
READY, NAMED_READY = record({"ready": FLAG}), record({"name": TEXT, "ready": FLAG})
INDEX = listed(record({"name": TEXT, "version": TEXT, "state": {"enum": ["READY", "UNAVAILABLE"]}, "reason": TEXT}))

REASONS = {
    400: "The body is no JSON.",
    404: "There is no such model or version.",
    408: "The body did not come in time.",
    409: "The model cannot be loaded; what was served is served on.",
    413: "The body is too large, or candidates, rows or items of lists are too many.",
    415: "The body is compressed in a way that is not known.",
    422: "A field cannot be what it is; the answer names it.",
    503: "Too many requests wait, or there was no answer in time.",
}
READING = (400, 404, 408, 413, 415, 422, 503)


@dataclass(frozen=True)
class Address:
    """One address and what answers it.

    Attributes:
        method, path: of the request.
        handler: the name of a method of the service.
        summary: what it does.
        body: the schema of the request's body.
        answer: the schema of the answer's body; None: the answer is not JSON.
        errors: the statuses of error responses.
        timed: whether the time limit applies; loading a model has none.
        binary: whether bytes may follow the JSON of request and answer.
        shown: whether the description lists the address.
    """

    method: str
    path: str
    handler: str
    summary: str
    body: Schema | None = None
    answer: Schema | None = None
    errors: tuple[int, ...] = ()
    timed: bool = True
    binary: bool = False
    shown: bool = True


NAMED = "/v2/models/{name}"
VERSIONED = NAMED + "/versions/{version}"

DESCRIPTIONS: tuple[Address, ...] = (
    Address("POST", "/rank", "rank", "Order candidates for a user", schema_of(RankRequest), RANKING, READING),
    Address("POST", "/predict", "predict", "Score rows", schema_of(PredictRequest), PREDICTIONS, READING),
    Address("GET", "/v2", "server", "What the service is", answer=record({"name": TEXT, "version": TEXT})),
    Address("GET", "/v2/health/live", "live", "Whether it runs", answer=record({"live": FLAG})),
    Address(
        "GET",
        "/v2/health/ready",
        "ready",
        "Whether it serves",
        answer=READY,
        errors=(503,),
    ),
    *(
        address
        for path in (NAMED, VERSIONED)
        for address in (
            Address("GET", path, "model", "A model's inputs and outputs", answer=METADATA, errors=(404,)),
            Address(
                "GET",
                f"{path}/ready",
                "model_ready",
                "Whether a model serves",
                answer=NAMED_READY,
                errors=(404,),
            ),
            Address("POST", f"{path}/infer", "infer", "Score tensors", INFER, INFERRED, READING, binary=True),
        )
    ),
    Address("POST", "/v2/repository/index", "index", "All models and their states", answer=INDEX),
    Address(
        "POST",
        "/v2/repository/models/{name}/load",
        "load",
        "Load a model anew, without losing a request",
        answer=record({"loaded": listed(record({"name": TEXT, "version": TEXT}))}),
        errors=(404, 409),
        timed=False,
    ),
    Address(
        "POST",
        "/v2/repository/models/{name}/unload",
        "unload",
        "Serve a model no longer",
        answer=record({"unloaded": TEXT}),
        errors=(404,),
        timed=False,
    ),
    Address("GET", "/models", "about", "What a request to each model holds", answer=listed(record({"name": TEXT}))),
    Address("GET", "/metrics", "figures", "Figures for Prometheus"),
    Address("GET", "/", "page", "A page to try the models", shown=False),
)


def described(address: Address) -> dict[str, Any]:
    """Return the OpenAPI entry of an address."""
    answers = {str(status): {"description": REASONS[status], **_content(FAILURE)} for status in address.errors}
    content = _content(address.answer, binary=address.binary) if address.answer else {"content": {"text/plain": {}}}
    found: dict[str, Any] = {"responses": {"200": {"description": "The answer.", **content}, **answers}}
    names = [part[1:-1] for part in address.path.split("/") if part.startswith("{")]
    found["parameters"] = [{"name": name, "in": "path", "required": True, "schema": TEXT} for name in names]
    if address.body is not None:
        found["requestBody"] = {"required": True, **_content(address.body, binary=address.binary)}
    if address.binary:
        header = {"name": HEADER, "in": "header", "schema": {"type": "integer", "minimum": 0}}
        found["parameters"].append({**header, "description": "Bytes of JSON, where tensors follow."})
    return found


def _content(schema: Schema, *, binary: bool = False) -> dict[str, Any]:
    bytes_too = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}} if binary else {}
    return {"content": {"application/json": {"schema": schema}, **bytes_too}}
