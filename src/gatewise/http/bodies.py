"""Bodies of requests: read whole, decompressed where needed, and bounded at every step."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.requests import Request

from gatewise.http.errors import RequestError
from gatewise.http.limits import Limits

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

GZIP, ZLIB, RAW = 31, 15, -15
"""zlib's numbers of the formats; ``deflate`` is ZLIB, and RAW from clients that leave the header out."""
CODINGS = "gzip, deflate, identity"
UNREAD = 16
"""A refused body is read up to this multiple of the limit, so that its client comes to read the error."""
UNREAD_SECONDS = 5.0


async def read_body(request: Request, limits: Limits) -> bytes:
    """Return a request's body, decompressed.

    Raises:
        RequestError: the body is too large (413), compressed in an unknown way (415) or damaged (400), or late (408).
        ClientDisconnect: the client has disconnected.
    """
    limit, coding = limits.body_bytes, request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("gzip", "x-gzip", "deflate", "identity"):
        await drain(request.receive, limits, waiting="expect" in request.headers)
        raise RequestError(f"Content-Encoding: expected gzip, deflate or none, found {coding!r:.40}", 415)
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length[:20]) > limit:
        await drain(request.receive, limits, waiting="expect" in request.headers)
        raise too_large(limit)
    body = await _whole(request, limits)
    return body if coding == "identity" else inflated(body, coding, limit)


async def _whole(request: Request, limits: Limits) -> bytes:
    pieces, size = [], 0
    try:
        async with asyncio.timeout(limits.request_seconds * 0.9):
            async for piece in request.stream():
                size += len(piece)
                pieces.append(piece)
                if size > limits.body_bytes:
                    pieces.clear()
                    await drain(request.receive, limits)
                    raise too_large(limits.body_bytes)
    except TimeoutError:
        raise RequestError(f"body: {size:,} bytes came in {limits.request_seconds:g} seconds", 408) from None
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def inflated(body: bytes, coding: str, limit: int) -> bytes:
    """Return a decompressed body; no more bytes than the limit are ever made.

    Raises:
        RequestError: the body is too large (413), or not of the format (400).
    """
    # the first byte of zlib's own header says the method 8, and both bytes together are a multiple of 31
    headed = len(body) > 1 and body[0] & 15 == 8 and (body[0] << 8 | body[1]) % 31 == 0
    bits = ZLIB if headed else RAW
    inflater = zlib.decompressobj(GZIP if coding != "deflate" else bits)
    try:
        found = inflater.decompress(body, limit + 1)
    except zlib.error as error:
        raise RequestError(f"body: is no {coding}: {error}", 400) from None
    if len(found) > limit:
        raise too_large(limit)
    if not inflater.eof or inflater.unused_data:
        raise RequestError(
            f"body: is no {coding}: it {'goes on after' if inflater.eof else 'ends before'} its end", 400
        )
    return found


async def drain(receive: Receive, limits: Limits, *, waiting: bool = False) -> None:
    """Read the rest of a body and drop it, within bounds: many clients send the whole body before they read.

    Args:
        receive: gives the body's pieces.
        limits: on bodies.
        waiting: whether the client waits for permission (``100 Continue``) and may never send its body.
    """
    size = 0
    if waiting:
        return
    try:
        async with asyncio.timeout(min(UNREAD_SECONDS, limits.request_seconds / 2)):
            while size < UNREAD * limits.body_bytes:
                message = await receive()
                size += len(message.get("body", b""))
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return


def too_large(limit: int) -> RequestError:
    """Return the error for a body that is larger than the limit."""
    return RequestError(f"body: expected {limit:,} bytes or fewer, found more", 413)
