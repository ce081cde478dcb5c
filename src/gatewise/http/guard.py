"""The guard around every handler: time limit, errors, and the count of answers."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gatewise.errors import GatewiseError
from gatewise.http.bodies import CODINGS, read_body
from gatewise.http.compression import compress
from gatewise.http.errors import RequestError
from gatewise.http.limits import Limits
from gatewise.http.metrics import Metrics

Handler = Callable[[Request], Awaitable[Response]]
RETRY_SECONDS = 1
DISCONNECTED = 499
"""Status under which an answer is counted whose client has disconnected."""
LOG = logging.getLogger("uvicorn.error")


def problem(message: str, status: int) -> Response:
    """Return a JSON error response."""
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else {}
    if status == 415:
        headers["Accept-Encoding"] = CODINGS
    if status == 408:
        # the rest of the body must not be read as another request
        headers["Connection"] = "close"
    return Response(orjson.dumps({"error": message}), status, headers, "application/json")


class Guard:
    """Runs a handler; turns its errors and time-outs into JSON error responses.

    Args:
        limits: of bodies and time.
        metrics: count every answer.
    """

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self.limits, self.metrics = limits, metrics

    async def answer(self, request: Request, handler: Handler, path: str, *, timed: bool = True) -> Response:
        """Return a handler's response, or an error response of one line.

        Args:
            request: the request.
            handler: answers the request.
            path: the path under which the answer is counted; the request's own path may be anything.
            timed: whether the time limit applies.
        """
        started = time.perf_counter()
        with self.metrics.in_flight.track_inprogress():
            response = await self._answered(request, handler, self.limits.request_seconds if timed else None)
        accepted = request.headers.get("accept-encoding")
        if accepted is not None:
            compress(response, accepted)
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
        except ClientDisconnect:
            self.metrics.disconnected()
            return Response(status_code=DISCONNECTED)
        except MemoryError:
            return problem("out of memory: this request asks for more than there is; send fewer rows or items", 503)
        except Exception as error:
            LOG.exception("a request could not be answered")
            return problem(f"internal: {type(error).__name__}; the service's log says more", 500)

    async def body(self, request: Request) -> bytes:
        """Return a request's body, decompressed.

        Raises:
            RequestError: the body is too large, compressed in an unknown way, or late.
            ClientDisconnect: the client has disconnected.
        """
        return await read_body(request, self.limits)
