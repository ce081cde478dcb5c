"""The middleware that checks access for every request, also to unknown addresses."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from gatewise.http.access import Access, headers_of
from gatewise.http.bodies import drain
from gatewise.http.errors import RequestError
from gatewise.http.guard import problem
from gatewise.http.limits import Limits
from gatewise.http.metrics import Metrics

REFUSED = "refused at the door"
"""The path under which refusals are counted."""


class Door:
    """Middleware that passes on allowed requests and refuses all others.

    Args:
        app: the application that answers.
        access: the access rules.
        limits: of the bodies of refused requests.
        metrics: count the refusals.
    """

    def __init__(self, app: ASGIApp, access: Access, limits: Limits, metrics: Metrics) -> None:
        self.app, self.access, self.limits, self.metrics = app, access, limits, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it in one line."""
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
