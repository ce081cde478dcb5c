"""The door: every request of every address passes it, those of unknown addresses too."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from gatewise.http.access import Access, headers_of
from gatewise.http.bodies import drain
from gatewise.http.errors import RequestError
from gatewise.http.guard import problem
from gatewise.http.limits import Limits
from gatewise.http.metrics import Metrics

REFUSED = "refused at the door"
"""What such answers are counted as."""


class Door:
    """Lets in who may ask.

    Args:
        app: what is behind it.
        access: who may ask what.
        limits: on bodies that are read in vain.
        metrics: are told of those who were refused.
    """

    def __init__(self, app: ASGIApp, access: Access, limits: Limits, metrics: Metrics) -> None:
        self.app, self.access, self.limits, self.metrics = app, access, limits, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request in one line, or let it in."""
        if scope["type"] == "http":
            try:
                headers = headers_of(scope)
                self.access.check(scope["method"], scope["path"], headers)
            except RequestError as error:
                await drain(receive, self.limits, waiting=b"expect" in dict(scope["headers"]))
                self.metrics.answered(REFUSED, error.status, 0.0)
                response = problem(str(error), error.status)
                if error.status == 401:
                    response.headers["WWW-Authenticate"] = "Bearer"
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)
