"""How much one request may ask for, and how long it may take."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

from pydantic import Field

from gatewise.declare import declaration

Count = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]


@declaration
class Limits:
    """Limits of requests; beyond them the answer is a 4xx, or 503 where the service is at fault.

    Example:
        >>> Limits(candidates=500).rows
        10000
    """

    body_bytes: Count = field(default=8 << 20, kw_only=True)
    """Bytes of a request's body, compressed and decompressed."""
    candidates: Count = field(default=2_000, kw_only=True)
    """Candidates per ranking."""
    rows: Count = field(default=10_000, kw_only=True)
    """Rows per prediction or inference."""
    items: Count = field(default=200_000, kw_only=True)
    """Items in all lists of a request together."""
    padded_items: Count = field(default=4_000_000, kw_only=True)
    """Rows of a request times its longest list, which is the number of places that the model reads."""
    request_seconds: Seconds = field(default=10.0, kw_only=True)
    """Seconds from a request's first byte to its answer; later: 408 where the body is late, else 503."""
    header_seconds: Seconds = field(default=10.0, kw_only=True)
    """Seconds from a connection's start, or a request's first byte, to the end of the headers; later: closed."""
    connections: Count = field(default=1_000, kw_only=True)
    """Open connections; requests on further ones get 503."""
    batch_seconds: Seconds = field(default=5.0, kw_only=True)
    """Seconds in which a request's rows wait for the model and are computed; later: 503."""
    batch_rows: Count = field(default=4_096, kw_only=True)
    """Rows of waiting requests that are given to the model together."""
    waiting: Count = field(default=256, kw_only=True)
    """Requests that wait for one model; further ones get 503 at once."""
    shutdown_seconds: Seconds = field(default=30.0, kw_only=True)
    """Seconds that requests under way may take once the service is asked to stop."""
