"""What stands around every request: its body's size, its time, its errors, and the counting of its answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import orjson
from starlette.requests import Request
from starlette.responses import Response

from gatewise.errors import GatewiseError
from gatewise.http.errors import RequestError
from gatewise.http.limits import Limits
from gatewise.http.metrics import Metrics

Handler = Callable[[Request], Awaitable[Response]]
RETRY_SECONDS = 1


def problem(message: str, status: int) -> Response:
    """Return the answer to a request that cannot be answered."""
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else None
    return Response(orjson.dumps({"error": message}), status, headers, "application/json")


class Guard:
    """Answers in the place of handlers that cannot.

    Args:
        limits: on bodies and time.
        metrics: are told of every answer.
    """

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self.limits, self.metrics = limits, metrics

    async def answer(self, request: Request, handler: Handler, path: str, *, timed: bool = True) -> Response:
        """Return a handler's answer, or what is wrong in one line.

        Args:
            request: that is answered.
            handler: answers it.
            path: what the answer is counted as; not the address, which may be anything.
            timed: whether the answer has to come in time.
        """
        started = time.perf_counter()
        with self.metrics.in_flight.track_inprogress():
            response = await self._answered(request, handler, self.limits.request_seconds if timed else None)
        self.metrics.answered(path, response.status_code, time.perf_counter() - started)
        return response

    async def _answered(self, request: Request, handler: Handler, seconds: float | None) -> Response:
        try:
            async with asyncio.timeout(seconds):
                return await handler(request)
        except RequestError as error:
            return problem(str(error), error.status)
        except GatewiseError as error:
            return problem(str(error), 422)
        except RecursionError:
            return problem("body: is nested too deeply", 400)
        except TimeoutError:
            return problem(f"no answer within {seconds:g} seconds", 503)

    async def body(self, request: Request) -> bytes:
        """Return a request's body.

        Raises:
            RequestError: it is too large (413), compressed (415), or does not come in time (408).
        """
        limit = self.limits.body_bytes
        encoding = request.headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise RequestError(f"Content-Encoding: expected none, found {encoding!r:.40}", 415)
        if int(request.headers.get("content-length", 0)) > limit:
            raise _too_large(limit)
        pieces, size = [], 0
        try:
            async with asyncio.timeout(self.limits.request_seconds * 0.9):
                async for piece in request.stream():
                    size += len(piece)
                    if size > limit:
                        raise _too_large(limit)
                    pieces.append(piece)
        except TimeoutError:
            raise RequestError(f"body: {size:,} bytes came in {self.limits.request_seconds:g} seconds", 408) from None
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _too_large(limit: int) -> RequestError:
    return RequestError(f"body: expected {limit:,} bytes or fewer, found more", 413)
