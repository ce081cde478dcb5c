"""Tensors of the protocol, in JSON and in bytes, from and to Python values."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np

from gatewise.errors import did_you_mean
from gatewise.http.errors import RequestError

HEADER = "Inference-Header-Content-Length"
"""Header: how many bytes of a body are JSON, where tensors follow."""

BYTES, BOOL = "BYTES", "BOOL"
INTEGERS = {
    f"{sign}INT{bits}": np.dtype(f"<{kind}{bits // 8}")
    for sign, kind in (("", "i"), ("U", "u"))
    for bits in (8, 16, 32, 64)
}
FLOATS = {f"FP{bits}": np.dtype(f"<f{bits // 8}") for bits in (16, 32, 64)}
NUMBERS = INTEGERS | FLOATS | {BOOL: np.dtype("?")}
"""Types of fixed size, little-endian."""
NAMES = {dtype: name for name, dtype in NUMBERS.items()}
PYTHON: dict[str, tuple[type, ...]] = {
    **dict.fromkeys(INTEGERS, (int,)),
    **dict.fromkeys(FLOATS, (float, int)),
    BOOL: (bool,),
    BYTES: (str,),
}
"""Python types of a JSON value, by type of the protocol; null stands for a missing value."""


def check_datatype(name: str, datatype: Any) -> None:
    """Refuse a type that the protocol does not know.

    Raises:
        RequestError: suggests the nearest type.
    """
    if not isinstance(datatype, str) or datatype not in PYTHON:
        hint = did_you_mean(str(datatype)[:80], PYTHON)
        raise RequestError(f"input {name!r}: no datatype {datatype!r:.80}{hint}")


def from_json(name: str, datatype: str, data: Any, count: int) -> list[Any]:
    """Return the values of a tensor in JSON, flat or nested.

    Raises:
        RequestError: the values are more or fewer than the shape says, or of another type.
    """
    if not isinstance(data, list):
        raise RequestError(f"input {name!r}: expected a list as its data")
    while data and isinstance(data[0], list):
        if not all(isinstance(inner, list) for inner in data):
            raise RequestError(f"input {name!r}: expected lists of one depth as its data")
        data = [*chain.from_iterable(data)]
    if len(data) != count:
        raise RequestError(f"input {name!r}: its shape says {count:,} values, found {len(data):,}")
    wrong = set(map(type, data)) - {*PYTHON[datatype], type(None)}
    if wrong:
        place = next(i for i, value in enumerate(data) if type(value) in wrong)
        raise RequestError(f"input {name!r}: expected {datatype}, found {data[place]!r:.80} at {place}")
    return data


def from_bytes(name: str, datatype: str, raw: memoryview, count: int) -> list[Any]:
    """Return the values of a tensor in bytes.

    Raises:
        RequestError: the values are more or fewer than the shape says, or strings that are not UTF-8.
    """
    if datatype == BYTES:
        return _strings(name, raw, count)
    dtype = NUMBERS[datatype]
    if len(raw) != count * dtype.itemsize:
        raise RequestError(f"input {name!r}: its shape says {count * dtype.itemsize:,} bytes, found {len(raw):,}")
    if datatype == BOOL:
        return (np.frombuffer(raw, np.uint8) != 0).tolist()
    found = np.frombuffer(raw, dtype)
    # ids keep their bits, as in tables
    return (found.view("<i8") if datatype == "UINT64" else found).tolist()


def _strings(name: str, raw: memoryview, count: int) -> list[str]:
    """Read strings, each after its length in four bytes."""
    found: list[str] = []
    start = 0
    while start + 4 <= len(raw) and len(found) < count:
        (length,) = struct.unpack_from("<I", raw, start)
        text = bytes(raw[start + 4 : start + 4 + length])
        if len(text) < length:
            break
        try:
            found.append(text.decode())
        except UnicodeDecodeError as error:
            raise RequestError(f"input {name!r}: string {len(found)} is no UTF-8 ({error.reason})") from None
        start += 4 + length
    if len(found) != count or start != len(raw):
        raise RequestError(f"input {name!r}: its {len(raw):,} bytes are not the {count:,} strings of its shape")
    return found


def to_bytes(values: np.ndarray) -> bytes:
    """Return a tensor's bytes."""
    return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("<")).tobytes()


def in_rows(values: list[Any], shape: list[int]) -> Iterable[list[Any]]:
    """Cut the values of a tensor ``[row, item]`` into rows."""
    width = shape[1]
    return (values[start : start + width] for start in range(0, shape[0] * width, width)) if width else [[]] * shape[0]
