"""Requests that nobody should send, drawn at random from good ones."""

from __future__ import annotations

import copy
import gzip
import json
import random
import struct
import zlib
from typing import Any, NamedTuple

HEADER = "Inference-Header-Content-Length"
ROW = {
    "user": 3,
    "country": "DE",
    "device": "d1",
    "price": 2.5,
    "tags": "a|b",
    "seen": [1, 2],
    "vector": [0.1, 0.2, 0.3],
}
SHARED = {name: ROW[name] for name in ("user", "country", "seen", "vector")}
OWN = {name: ROW[name] for name in ("device", "price", "tags")}
RANK = {"context": SHARED, "candidates": [OWN] * 3, "top": 2, "by": "click", "weights": [1.0], "gates": True}
PREDICT = {"model": "m", "version": "1", "rows": [ROW] * 3, "gates": True}
DATATYPES = {"user": "INT64", "country": "BYTES", "device": "BYTES", "price": "FP64", "tags": "BYTES"}
INFER = {
    "id": "7",
    "inputs": [
        *(
            {"name": name, "datatype": datatype, "shape": [2], "data": [ROW[name]] * 2}
            for name, datatype in DATATYPES.items()
        ),
        {"name": "seen", "datatype": "INT64", "shape": [2, 2], "data": [1, 2, 3, 4]},
        {"name": "vector", "datatype": "FP32", "shape": [2, 3], "data": [0.5] * 6},
        {"name": "price.missing", "datatype": "BOOL", "shape": [2], "data": [True, False]},
    ],
    "outputs": [{"name": "click"}, {"name": "gates", "parameters": {"binary_data": True}}],
}
GOOD: dict[str, Any] = {"/rank": RANK, "/predict": PREDICT, "/v2/models/m/infer": INFER}
OTHERS = ("/", "/v2", "/models", "/metrics", "/openapi.json", "/v2/models/m", "/v2/models/x/ready", "/%ff", "/a" * 900)
HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64 - 1, 1e308, -1e-308, 0.5),
    *("", " ", "a", "\0", "\u202e", "é", "e\u0301", "😀", "x" * 5_000, "NaN", "<null>", "a|b|c", "|" * 500, "../.."),
    *([], {}, [[]], [None], {"": ""}, ["a", 1], [1.5], [True], {"a": {"b": []}}, [[1, 2], [3]], ["a"] * 400),
)


class Asked(NamedTuple):
    """A request."""

    method: str
    path: str
    body: bytes
    headers: dict[str, str]


def drawn(random_: random.Random) -> Asked:
    """Return a request with something wrong, most of the time."""
    path = random_.choice([*GOOD])
    values = json.loads(json.dumps(GOOD[path]))
    for _ in range(random_.choice((0, 1, 1, 2, 4))):
        values = changed(values, random_)
    body, headers = json.dumps(values).encode(), {}
    if path.endswith("infer") and random_.random() < 0.4:
        body, headers = in_bytes(random_)
    if random_.random() < 0.2:
        body = damaged(body, random_)
    match random_.randrange(12):
        case 0:
            headers["Content-Encoding"], body = "gzip", gzip.compress(body, 1)
        case 1:
            headers["Content-Encoding"], body = "deflate", damaged(zlib.compress(body), random_)
        case 2:
            headers["Content-Encoding"] = random_.choice(("br", "gzip", "deflate", "identity", "", "gzip, gzip"))
        case 3:
            headers[HEADER] = random_.choice(("0", "-1", str(len(body)), str(len(body) + 1), "x", "9" * 30))
        case 4:
            name = random_.choice(("Origin", "Host", "Accept-Encoding", "Authorization", "Expect"))
            headers[name] = random_.choice(("http://x.example", "x.example", "gzip", "", "[::1", "null"))
        case 5:
            return Asked(random_.choice(("GET", "POST", "PUT", "HEAD", "DELETE")), random_.choice(OTHERS), b"", {})
    return Asked("POST", path, body, headers)


def changed(values: Any, random_: random.Random) -> Any:
    """Return JSON values of which one is another, is gone, is there often, or is nested."""
    holders = [holder for holder in _inside(values) if holder]
    if not holders:
        return copy.deepcopy(random_.choice(HOSTILE))
    holder = random_.choice(holders)
    key = random_.choice([*holder] if isinstance(holder, dict) else range(len(holder)))
    match random_.randrange(8):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, list):
            holder.extend(copy.deepcopy([holder[key]] * random_.choice((1, 5, 300))))
        case 1 | 2 if isinstance(holder, dict):
            holder[random_.choice(("x", "", "user ", "usr", "rows", "k" * 3_000))] = copy.deepcopy(holder[key])
        case 3:
            for _ in range(random_.choice((1, 3, 120))):
                holder[key] = [holder[key]]
        case _:
            holder[key] = copy.deepcopy(random_.choice(HOSTILE))
    return values


def _inside(values: Any) -> list[Any]:
    """Return all lists and objects that are not too deep."""
    found, level = [], [values]
    for _ in range(6):
        level = [one for one in level if isinstance(one, (dict, list))]
        found += level
        level = [inner for one in level for inner in (one.values() if isinstance(one, dict) else one)]
    return found


def in_bytes(random_: random.Random) -> tuple[bytes, dict[str, str]]:
    """Return an inference of tensors in bytes, and its header."""
    head, raw = json.loads(json.dumps(INFER)), b""
    for tensor in head["inputs"]:
        data = tensor.pop("data")
        match tensor["datatype"]:
            case "BYTES":
                texts = [random_.choice((str(one), "", "new", "\0")).encode() for one in data]
                made = b"".join(struct.pack("<I", len(text)) + text for text in texts)
            case "BOOL":
                made = bytes(data)
            case kind:
                code = {"INT64": "q", "FP64": "d", "FP32": "f"}[kind]
                special = (float("nan"), float("inf"), 1e30) if code != "q" else (-(2**63), 2**63 - 1, 0)
                made = struct.pack(f"<{len(data)}{code}", *(random_.choice((one, *special)) for one in data))
        tensor["parameters"] = {"binary_data_size": len(made)}
        raw += made
    text = json.dumps(head).encode()
    return text + raw, {HEADER: str(len(text))}


def damaged(body: bytes, random_: random.Random) -> bytes:
    """Return bytes of which some are other ones, are gone, or are more."""
    found = bytearray(body)
    for _ in range(random_.choice((1, 1, 3, 10))):
        place = random_.randrange(len(found) + 1)
        match random_.randrange(3):
            case 0 if place < len(found):
                found[place] = random_.randrange(256)
            case 1:
                found[place:place] = random_.randbytes(random_.choice((1, 4)))
            case _:
                del found[place : place + random_.choice((1, 4, 50))]
    return bytes(found)
