"""Connections: bounded while they are idle or slow, and answered to the end when the service stops."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

import uvicorn
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gatewise.http.limits import Limits
from gatewise.progress import duration

LEAVING_SECONDS = 0.1
"""Seconds in which connections are still read after the signal, so that requests sent before it are answered."""


class Connection(HttpToolsProtocol):
    """A connection that closes where a request's headers are late, or the client does not read an answer."""

    seconds: float
    _late: asyncio.TimerHandle | None = None

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting for headers."""
        self._wait_no_longer()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        """Read bytes; outside a request, the headers of the next one have to be complete in time."""
        if self._late is None and (self.cycle is None or self.cycle.response_complete):
            self._wait()
        super().data_received(data)

    @override
    def on_headers_complete(self) -> None:
        """Stop waiting for headers, and answer."""
        self._wait_no_longer()
        super().on_headers_complete()

    @override
    def on_response_complete(self) -> None:
        """Wait for the next request; a closing connection has a limited time to send its answer."""
        super().on_response_complete()
        if self.transport.is_closing():
            self.loop.call_later(self.seconds, self.transport.abort)

    @override
    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, also where its client has not read all of an answer."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def _wait(self) -> None:
        self._late = self.loop.call_later(self.seconds, self._close)

    def _wait_no_longer(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _close(self) -> None:
        self._late = None
        self.transport.abort()


def connection_of(limits: Limits) -> type[Connection]:
    """Return the class of connections that keep to the limits."""
    return type("BoundedConnection", (Connection,), {"seconds": limits.header_seconds})


class Server(uvicorn.Server):
    """A server that answers the requests that were sent before it was asked to stop, and then says that it stopped.

    Args:
        config: of uvicorn.
        tell: receives one line when the last request is answered.
    """

    def __init__(self, config: uvicorn.Config, tell: Callable[[str], None]) -> None:
        super().__init__(config)
        self._tell, self._began = tell, time.monotonic()

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; the last answers tell clients to close their connections."""
        leaving: Any = (b"connection", b"close")
        self.server_state.default_headers = [*self.server_state.default_headers, leaving]
        await asyncio.sleep(LEAVING_SECONDS)
        await super().shutdown(sockets)
        # whoever sent the signal gets it back afterwards, which ends the process at once
        answered = self.server_state.total_requests
        requests = f"{answered:,} request{'' if answered == 1 else 's'}"
        self._tell(f"stopped: {requests} in {duration(time.monotonic() - self._began)}")
