"""Answers compressed for clients that ask for it."""

from __future__ import annotations

import zlib

from starlette.responses import Response

SMALL = 1_400
"""An answer of fewer bytes is not compressed: it fits into one packet."""
FORMATS = {"gzip": 31, "deflate": 15}
FAST = 1
"""zlib's level: higher levels take longer than a network saves."""


def compress(response: Response, accepted: str) -> None:
    """Compress an answer's body, where the client accepts a format that this service writes.

    Args:
        response: the answer, changed in place.
        accepted: the request's ``Accept-Encoding``.
    """
    coding = coding_of(accepted) if len(response.body) >= SMALL else None
    if coding is None or "content-encoding" in response.headers:
        return
    compressor = zlib.compressobj(FAST, wbits=FORMATS[coding])
    response.body = compressor.compress(response.body) + compressor.flush()
    response.headers["content-length"] = str(len(response.body))
    response.headers["content-encoding"] = coding
    response.headers["vary"] = "Accept-Encoding"


def coding_of(accepted: str) -> str | None:
    """Return the first format of an ``Accept-Encoding`` that this service writes, without formats of weight 0."""
    for one in accepted.lower().split(","):
        name, _, weight = (part.strip() for part in one.partition(";"))
        if name in FORMATS and weight.replace(" ", "").rstrip("0.") != "q=":
            return name
    return None
