"""The process: listens, serves, and stops when it is asked to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import uvicorn
from fastapi import FastAPI

from gatewise.errors import GatewiseError
from gatewise.http.connections import Server, connection_of
from gatewise.http.limits import Limits

KEEP_ALIVE_SECONDS = 75
"""Seconds that an idle connection stays open. Load balancers close theirs after 60 seconds and must be first: a
request sent into a connection that is just being closed is lost."""


def serve(app: FastAPI, host: str, port: int, limits: Limits, tell: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; requests under way are answered first.

    Raises:
        GatewiseError: the address cannot be listened on, or a model cannot be loaded.
    """
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=int(limits.shutdown_seconds),
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        http=connection_of(limits),
        ws="none",
        limit_concurrency=limits.connections,
        server_header=False,
    )
    with _listening(host, port) as listener:
        _run(_serving(app, Server(config, tell), listener, tell))


async def _serving(app: FastAPI, server: uvicorn.Server, listener: socket.socket, tell: Callable[[str], None]) -> None:
    # entered here and not by the server, which would print a traceback where a model cannot be loaded
    async with app.router.lifespan_context(app):
        host, port = listener.getsockname()[:2]
        tell(f"serving on http://{host}:{port}")
        await server.serve(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise GatewiseError(f"cannot listen on {host} port {port}: {error.strerror or error}") from None


def _run(main: Coroutine[Any, Any, None]) -> None:
    try:
        import uvloop
    except ImportError:
        # uvloop does not exist for every system
        asyncio.run(main)
    else:
        uvloop.run(main)
