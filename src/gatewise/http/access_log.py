"""One line per request: method, path, status, milliseconds, rows."""

from __future__ import annotations

import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

LONGEST = 200
"""Most letters of a path."""
NOT_SENT = 499
"""The status of a request whose client has disconnected before the answer."""


class AccessLog:
    """Middleware that says every request, also a refused one, in one line.

    A line holds neither the query nor anything of the body, and no letter that a terminal obeys.

    Args:
        app: the application that answers.
        tell: receives the lines, without line ends.
    """

    def __init__(self, app: ASGIApp, tell: Callable[[str], None]) -> None:
        self.app, self.tell = app, tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and say what became of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), NOT_SENT

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, sent)
        finally:
            milliseconds = 1000 * (time.perf_counter() - began)
            rows = scope.get("state", {}).get("rows")
            shown = "-" if rows is None else f"{rows}"
            self.tell(f"{scope['method']} {_plain(scope)} {status} {milliseconds:.1f} ms {shown} rows")


def _plain(scope: Scope) -> str:
    """Return the path as it was sent, where that is known; what is no plain letter is written as Python does."""
    path = scope.get("raw_path") or scope["path"].encode()
    text = path.partition(b"?")[0].decode("ascii", "backslashreplace")
    return "".join(letter if letter.isprintable() and letter != " " else ascii(letter)[1:-1] for letter in text)[
        :LONGEST
    ]
