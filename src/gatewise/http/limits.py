"""How much one request may ask for, and how long it may take."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated

from pydantic import Field

from gatewise.declare.base import declaration

Count = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]


@declaration
class Limits:
    """What is refused with a 4xx answer, or with 503 where the service is to blame.

    Example:
        >>> Limits(candidates=500).rows
        10000
    """

    body_bytes: Count = field(default=8 << 20, kw_only=True)
    """Bytes of a request's body, as it is sent and once it is inflated."""
    candidates: Count = field(default=2_000, kw_only=True)
    """Candidates of a ranking."""
    rows: Count = field(default=10_000, kw_only=True)
    """Rows of a prediction or an inference."""
    items: Count = field(default=200_000, kw_only=True)
    """Items of all lists of a request."""
    padded_items: Count = field(default=4_000_000, kw_only=True)
    """Rows of a request times its longest list: so many places the model reads."""
    request_seconds: Seconds = field(default=10.0, kw_only=True)
    """From a request's first byte to its answer; then 408 where its body is late, else 503."""
    header_seconds: Seconds = field(default=10.0, kw_only=True)
    """From a connection's start, or a request's first byte, to the end of its headers; then it is closed."""
    connections: Count = field(default=1_000, kw_only=True)
    """Open connections; requests of more get 503."""
    batch_seconds: Seconds = field(default=5.0, kw_only=True)
    """How long a request's rows wait for the model and are worked on by it; then 503."""
    batch_rows: Count = field(default=4_096, kw_only=True)
    """Rows of requests that come at once and are given to the model together."""
    waiting: Count = field(default=256, kw_only=True)
    """Requests that wait for one model; more get 503 at once."""
    shutdown_seconds: Seconds = field(default=30.0, kw_only=True)
    """How long requests under way may take once the service is asked to stop."""
